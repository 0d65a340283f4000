// A connection by access token, and how a script tells what it saw. The address and the token come from the test.
import jsforce from 'jsforce';

export const connection = new jsforce.Connection({
  instanceUrl: process.env.ORGSIM_URL,
  accessToken: process.env.ORGSIM_TOKEN,
  version: '60.0',
});

export function tell(seen) {
  console.log(JSON.stringify(seen));
}
