// Single records, upserts by a key, describes.
import { connection, tell } from './connect.mjs';

const leads = connection.sobject('Lead');
const created = await leads.create({ LastName: 'Ek', Company: 'Ask', Email: 'ek@example.com' });
const updated = await leads.update({ Id: created.id, Title: 'CTO' });
const read = await leads.retrieve(created.id);
const upserted = await leads.upsert({ Email: 'ek@example.com', LastName: 'Alm' }, 'Email');
const again = await leads.retrieve(created.id);
const added = await leads.upsert({ Email: 'new@example.com', LastName: 'Ny', Company: 'Ask' }, 'Email');
const deleted = await leads.destroy(created.id);
let gone;
try {
  await leads.retrieve(created.id);
} catch (error) {
  gone = error.errorCode;
}
const described = await leads.describe();
const global = await connection.describeGlobal();
tell({
  created: created.success,
  updated: updated.success,
  title: read.Title,
  upserted: upserted.success,
  lastName: again.LastName,
  added: added.success && added.id !== created.id,
  deleted: deleted.success,
  gone,
  label: described.label,
  email: described.fields.find((each) => each.name === 'Email').type,
  objects: global.sobjects.some((each) => each.name === 'Opportunity'),
});
