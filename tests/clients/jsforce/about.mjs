// Who and what: identity, the allowance as jsforce keeps it, limits, a tooling query.
import { connection, tell } from './connect.mjs';

const identity = await connection.identity();
const limits = await connection.limits();
const tooling = await connection.tooling.query("SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = 'Lead'");
tell({
  username: identity.username,
  organization: identity.organization_id,
  usage: connection.limitInfo.apiUsage,
  limit: limits.DailyApiRequests.Max,
  tooling: tooling.records.map((each) => each.QualifiedApiName),
});
