import { expect, test } from 'vitest';
import { deployment, principal } from '../../../test/builders.ts';
import type { JsonObject } from '../../core/json.ts';
import { affinityOf, heldTogether } from './affinity.ts';

const three = ['a', 'b', 'c'].map((id) => deployment({ id }));
const of = (body: JsonObject, sessionId: string | null = null) =>
  affinityOf({ body, options: { sessionId }, principal: principal({ keyId: 'k' }) } as never, ['prompt', 'session']);
const marked = (text: string) => ({ type: 'text', text, cache_control: { type: 'ephemeral' } });
const asking = (text: string): JsonObject => ({
  messages: [
    { role: 'system', content: [marked('Long rules.')] },
    { role: 'user', content: text },
  ],
});

test('what comes after the last cache mark changes nothing', () => {
  expect(of(asking('one'))).toBe(of(asking('two')));
  expect(of({ messages: [{ role: 'user', content: 'one' }] })).toBeNull();
  expect(of({ messages: [{ role: 'user', content: 'one' }] }, 's')).toBe('session s');
  expect(of({ system: [marked('Other rules.')], messages: [] })).not.toBe(of(asking('one')));
});

test('all are used, and only what a deployment had moves when it goes', () => {
  const names = Array.from({ length: 300 }, (_, index) => `session ${index}`);
  const before = names.map((name) => heldTogether(three, name).id);
  for (const id of ['a', 'b', 'c']) expect(before.filter((one) => one === id).length).toBeGreaterThan(60);
  const after = names.map((name) => heldTogether(three.slice(0, 2), name).id);
  for (const [index, id] of before.entries()) if (id !== 'c') expect(after[index]).toBe(id);
});
