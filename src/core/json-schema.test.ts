import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { schemaFault } from './json-schema.ts';

const person: Json = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    age: { type: 'integer', minimum: 0 },
    tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2 },
    boss: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
  },
  required: ['name'],
  additionalProperties: false,
};

describe('JSON Schema', () => {
  it.each<[Json, Json, string | null]>([
    [person, { name: 'Ann', age: 3, tags: ['a'], boss: { name: 'Bob', boss: null } }, null],
    [person, { age: 3 }, '$.name: missing'],
    [person, { name: 7 }, '$.name: expected string, found number'],
    [person, { name: '' }, '$.name: fewer than 1 characters'],
    [person, { name: 'A', age: 1.5 }, '$.age: expected integer, found number'],
    [person, { name: 'A', age: -1 }, '$.age: less than 0'],
    [person, { name: 'A', tags: ['a', 'c'] }, '$.tags[1]: not one of enum'],
    [person, { name: 'A', tags: ['a', 'b', 'a'] }, '$.tags: more than 2 items'],
    [person, { name: 'A', boss: { age: 1 } }, '$.boss: fits none of anyOf'],
    [person, { name: 'A', wealth: 1 }, '$.wealth: not a member of the schema'],
    [person, [], '$: expected object, found array'],
    [{ type: ['string', 'null'] }, null, null],
    [{ type: 'STRING', nullable: true }, null, null],
    [{ const: { a: 1, b: [2] } }, { b: [2], a: 1 }, null],
    [{ oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1, '$: fits 2 of oneOf'],
    [{ allOf: [{ minimum: 1 }, { multipleOf: 0.1 }] }, 1.3, null],
    [{ not: { type: 'string' } }, 'x', '$: fits what it must not'],
    [JSON.parse('{"if": {"type": "string"}, "then": {"maxLength": 1}}'), 'xy', '$: more than 1 characters'],
    [{ prefixItems: [{ type: 'string' }], items: false }, ['a', 1], '$[1]: nothing may stand here'],
    [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'boolean' } } }, 1, '$: expected boolean, found number'],
    [{ $ref: '#/nowhere' }, 1, null],
    [{ $ref: '#/%' }, 1, null],
    [{ type: 'object', properties: { toString: { type: 'string' } } }, {}, null],
    [true, 1, null],
  ])('%j takes %j: %s', (schema, value, fault) => {
    expect(schemaFault(schema, value)).toBe(fault);
  });

  it('ends with schemas that refer to themselves, and alternatives within alternatives', () => {
    expect(schemaFault({ $ref: '#' }, 1)).toBeNull();
    const twice = { anyOf: [{ $ref: '#' }, { $ref: '#' }], not: {} };
    const began = performance.now();
    schemaFault(twice, 1);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
