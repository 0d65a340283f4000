// The web server flow with PKCE: tells where to send the person, reads the address the org sent them back to, exchanges the
// code, and refreshes an ended session by itself.
import { createInterface } from 'node:readline/promises';
import jsforce from 'jsforce';
import { tell } from './connect.mjs';

const oauth2 = new jsforce.OAuth2({
  loginUrl: process.env.ORGSIM_URL,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  redirectUri: process.env.CALLBACK,
  useVerifier: true,
});
tell({ address: oauth2.getAuthorizationUrl({ scope: 'api refresh_token', state: 'kept' }) });

const input = createInterface({ input: process.stdin });
const sentTo = new URL(await input[Symbol.asyncIterator]().next().then((line) => line.value));
input.close();

const connection = new jsforce.Connection({ oauth2, version: '60.0' });
const user = await connection.authorize(sentTo.searchParams.get('code'));
let refreshes = 0;
connection.on('refresh', () => {
  refreshes += 1;
});
connection.accessToken = '00D!ended';
const counted = await connection.query('SELECT COUNT() FROM Contact');
const identity = await connection.identity();
await connection.logout(true);
let revoked;
try {
  await connection.query('SELECT COUNT() FROM Contact');
} catch (error) {
  revoked = error.message;
}
tell({
  state: sentTo.searchParams.get('state'),
  user: user.id,
  organization: user.organizationId,
  refreshes,
  counted: counted.totalSize,
  username: identity.username,
  revoked: Boolean(revoked),
});
