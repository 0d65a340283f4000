// The reading job of the sync bench by jsforce: `node run.mjs SOQL`, a Bulk API 2.0 query whose records are kept in memory.
// jsforce is the one that orgsim is tested with. The address and the token come from the bench.
import { createRequire } from 'node:module';

const jsforce = createRequire(new URL('../../../tests/clients/jsforce/package.json', import.meta.url))('jsforce');

const connection = new jsforce.Connection({
  instanceUrl: process.env.ORGSIM_URL,
  accessToken: process.env.ORGSIM_TOKEN,
  version: '64.0',
});
const stream = await connection.bulk2.query(process.argv[2], { pollInterval: 200, pollTimeout: 3_600_000 });
const records = await stream.toArray();
console.log(records.length);
