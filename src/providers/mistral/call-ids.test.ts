import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../core/json.ts';
import { fittingCallIds } from './call-ids.ts';

const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
const history = (...ids: string[]): JsonObject => ({
  model: 'mistral-large',
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: '', tool_calls: ids.map(call) },
    ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: 'x' })),
  ],
});
const messagesOf = (body: JsonObject) => (fittingCallIds(body).get('messages') ?? body.messages) as JsonObject[];
const calledIn = (body: JsonObject) => (messagesOf(body)[1]!.tool_calls as JsonObject[]).map(({ id }) => id as string);
const answeredIn = (body: JsonObject) =>
  messagesOf(body)
    .slice(2)
    .map((message) => message.tool_call_id as string);

describe('ids of tool calls for Mistral', () => {
  it('are these, in this version and every later one', () => {
    expect(calledIn(history('call_abc123', 'toolu_01A09q90qw90lq917835lq9', 'D681PevKs'))).toMatchInlineSnapshot(`
      [
        "5ebQ99hv2",
        "jQI8XoNbI",
        "D681PevKs",
      ]
    `);
  });

  it('fit, stay apart and belong together, whatever they were', () => {
    const some = fc.oneof(fc.string(), fc.constantFrom('call_1', 'call_2', 'D681PevKs', 'é23456789', '123456789\n'));
    fc.assert(
      fc.property(fc.uniqueArray(some, { minLength: 1, maxLength: 20 }), (ids) => {
        const called = calledIn(history(...ids));
        expect(new Set(called).size).toBe(ids.length);
        expect(answeredIn(history(...ids))).toEqual(called);
        for (const [index, id] of called.entries()) {
          expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
          expect(id).not.toContain('\n');
          if (/^[a-zA-Z0-9]{9}$/.test(ids[index]!)) expect(id).toBe(ids[index]);
        }
      }),
    );
  });

  it('make way for one that was there', () => {
    const [made] = calledIn(history('call_1'));
    const both = calledIn(history('call_1', made!));
    expect(both[1]).toBe(made);
    expect(both[0]).not.toBe(made);
    expect(answeredIn(history('call_1', made!))).toEqual(both);
  });

  it('leave a history alone that needs nothing', () => {
    expect(fittingCallIds(history('D681PevKs', 'aB3dE6gH9')).size).toBe(0);
    for (const messages of [undefined, 'x', [], [null, 1, { role: 'tool', tool_call_id: 7 }, { tool_calls: [null] }]])
      expect(fittingCallIds({ messages } as unknown as JsonObject).size).toBe(0);
  });

  it('change nothing else', () => {
    const body = history('call_1');
    const [first, assistant] = messagesOf(body);
    expect(first).toBe((body.messages as Json[])[0]);
    expect(assistant).toMatchObject({
      role: 'assistant',
      content: '',
      tool_calls: [{ ...call('x'), id: expect.any(String) }],
    });
  });
});
