// Bulk API 1: a load with a row that fails, a query, an aborted job, an ended session.
import { connection, tell } from './connect.mjs';

connection.bulk.pollInterval = 50;
const results = await connection.bulk.load('Lead', 'insert', [
  { LastName: 'Good', Company: 'Bulk1' },
  { LastName: 'Bad' },
]);
const stream = await connection.bulk.query('SELECT Id, LastName FROM Contact');
const rows = await stream.stream().toArray();
const job = connection.bulk.createJob('Lead', 'upsert', { extIdField: 'Email', concurrencyMode: 'Serial' });
const opened = await job.open();
const listed = await job.list();
const aborted = await job.abort();
connection.accessToken = '00D!ended';
let refused;
try {
  await connection.bulk.createJob('Lead', 'insert').open();
} catch (error) {
  refused = error.message;
}
tell({
  results: results.map((each) => [each.success, each.created, each.errors]),
  lines: Buffer.concat(rows).toString().trim().split('\n').length,
  opened: [opened.state, opened.concurrencyMode, opened.externalIdFieldName],
  listed: listed.filter(Boolean).length,
  aborted: aborted.state,
  refused,
});
