import { expect, test } from 'vitest';
import { plainOptions } from '../../../test/contract/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { openaiChat } from './index.ts';

const options = { ...plainOptions, traits: { ...plainOptions.traits, supportsJsonSchema: false } };
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const shape = { name: 'place', schema, description: 'A place.' };
const system = { role: 'system', content: 'Be brief.' };
const user = { role: 'user', content: 'Where?' };
const asked: JsonObject = {
  model: 'm',
  messages: [system, user],
  response_format: { type: 'json_schema', json_schema: shape },
};
const told = {
  role: 'system',
  content: `Answer with one JSON object that fits this JSON schema, and with nothing else. A place.\n${JSON.stringify(schema)}`,
};

test('a schema is told in words where the model takes none', () => {
  const edits = openaiChat.passThrough(asked, options);
  expect(edits.get('response_format')).toEqual({ type: 'json_object' });
  expect(edits.get('messages')).toEqual([system, told, user]);
  const encoded = openaiChat.request.encode(openaiChat.request.decode(asked), options);
  expect(encoded).toMatchObject({ response_format: { type: 'json_object' }, messages: [system, told, user] });
});

test.each<[string, JsonObject, object]>([
  ['by a model that takes it', asked, plainOptions],
  ['where the operator lets it through', asked, { ...options, allowedParams: ['response_format'] }],
  ['where there is none', { ...asked, response_format: { type: 'json_object' } }, options],
])('nothing is told %s', (_, body, chosen) => {
  const edits = openaiChat.passThrough(body, chosen as typeof options);
  expect([edits.has('response_format'), edits.has('messages')]).toEqual([false, false]);
});

test('a shape without a schema is any object', () => {
  const open = { ...asked, response_format: { type: 'json_schema', json_schema: { name: 'any', schema: null } } };
  const messages = openaiChat.passThrough(open, options).get('messages') as JsonObject[];
  expect(messages[1]!.content).toMatch(/\n\{\}$/);
});
