// Queries: one page, all pages, page by page, and by jsforce's own builder. The org has 450 contacts.
import { connection, tell } from './connect.mjs';

const soql = 'SELECT Id, LastName FROM Contact ORDER BY LastName';
const options = { headers: { 'Sforce-Query-Options': 'batchSize=200' } };

const first = await connection.query(soql, options);
const pages = [first.records.length];
let page = first;
while (!page.done) {
  page = await connection.queryMore(page.nextRecordsUrl);
  pages.push(page.records.length);
}
const all = await connection.query(soql, { ...options, autoFetch: true, maxFetch: 1000 });
const found = await connection.sobject('Contact').find({ LastName: { $like: 'Person 00%' } }, ['Id', 'LastName']).sort('LastName').limit(3);
let refused;
try {
  await connection.query('SELECT Nope FROM Contact');
} catch (error) {
  refused = error.errorCode;
}
tell({
  total: first.totalSize,
  pages,
  all: new Set(all.records.map((each) => each.Id)).size,
  found: found.map((each) => each.LastName),
  refused,
});
