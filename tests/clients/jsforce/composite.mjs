// Many records in one request: collections, a composite with a reference.
import { connection, tell } from './connect.mjs';

const accounts = connection.sobject('Account');
const made = await accounts.create([{ Name: 'One' }, { Name: 'Two' }, { Industry: 'Nameless' }]);
const ids = made.filter((each) => each.success).map((each) => each.id);
const changed = await accounts.update(ids.map((Id) => ({ Id, Industry: 'Energy' })));
const read = await accounts.retrieve(ids);
const strict = await accounts.create([{ Name: 'Three' }, {}], { allOrNone: true });
const removed = await accounts.destroy(ids);
const answer = await connection.requestPost('/services/data/v60.0/composite', {
  compositeRequest: [
    { method: 'POST', url: '/services/data/v60.0/sobjects/Account', referenceId: 'parent', body: { Name: 'Parent' } },
    {
      method: 'POST',
      url: '/services/data/v60.0/sobjects/Case',
      referenceId: 'child',
      body: { Subject: 'Child', AccountId: '@{parent.id}' },
    },
  ],
});
tell({
  made: made.map((each) => each.success),
  refused: made[2].errors[0].errorCode ?? made[2].errors[0].statusCode,
  changed: changed.map((each) => each.success),
  industries: read.map((each) => each.Industry),
  strict: strict.map((each) => each.errors[0].statusCode),
  removed: removed.map((each) => each.success),
  composite: answer.compositeResponse.map((each) => each.httpStatusCode),
});
