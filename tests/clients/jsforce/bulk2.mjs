// Bulk API 2.0: a load with a row that fails, a query. The org has 450 contacts.
import { connection, tell } from './connect.mjs';

connection.bulk2.pollInterval = 50;
const results = await connection.bulk2.loadAndWaitForResults({
  object: 'Lead',
  operation: 'insert',
  input: [{ LastName: 'Good', Company: 'Bulk2' }, { LastName: 'Bad' }],
});
const stream = await connection.bulk2.query('SELECT Id, LastName FROM Contact', { pollInterval: 50 });
const rows = await stream.toArray();
const keyed = await connection.bulk2.loadAndWaitForResults({
  object: 'Lead',
  operation: 'upsert',
  externalIdFieldName: 'Email',
  lineEnding: 'LF',
  input: 'Email,LastName,Company\nb2@example.com,Key,Bulk2\n',
});
const job = connection.bulk2.createJob({ object: 'Lead', operation: 'insert' });
await job.open();
await job.abort();
const aborted = await job.check();
await job.delete();
tell({
  good: results.successfulResults.map((each) => each.LastName),
  bad: results.failedResults.map((each) => each.sf__Error),
  unprocessed: results.unprocessedRecords.length,
  rows: new Set(rows.map((each) => each.Id)).size,
  keyed: keyed.successfulResults.map((each) => each.sf__Created),
  aborted: aborted.state,
});
