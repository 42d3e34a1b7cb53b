import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GeminiLiveSession } from './session.ts';

const speech = { serverContent: { modelTurn: { parts: [{ text: 'a' }] } } };
const over = { serverContent: { turnComplete: true } };
const tool = { toolCall: { functionCalls: [{ id: '1', name: 'f' }] } };
const result = { toolResponse: { functionResponses: [{ id: '1', name: 'f', response: {} }] } };
const usage = (prompt: number, response: number) => ({
  usageMetadata: { promptTokenCount: prompt, responseTokenCount: response, totalTokenCount: prompt + response },
});

/** What is heard of these messages: `began`, or what an answer came to. Results of tools are the caller's. */
function heard(messages: readonly object[]): string[] {
  const session = new GeminiLiveSession();
  return messages.flatMap((message) => {
    if ('toolResponse' in message) {
      expect(session.said(JSON.stringify(message))).toEqual({ kind: 'turn' });
      return [];
    }
    return session.heard(JSON.stringify(message)).map((event) => {
      if (event.kind !== 'turn_ended') return event.kind === 'turn_began' ? 'began' : event.kind;
      return event.usage === undefined ? 'unknown' : `${event.usage.inputTokens}+${event.usage.outputTokens}`;
    });
  });
}

describe('what is heard of a session', () => {
  it.each<[string, object[], string[]]>([
    ['one answer', [speech, speech, { ...over, ...usage(10, 4) }], ['began', '10+4']],
    [
      'all in one message',
      [{ serverContent: { ...speech.serverContent, turnComplete: true }, ...usage(10, 4) }],
      ['began', '10+4'],
    ],
    ['usage afterwards', [speech, over, usage(10, 4), speech, over, usage(14, 5)], ['began', '10+4', 'began', '14+5']],
    ['usage twice', [speech, usage(10, 1), speech, usage(10, 4), over], ['began', '10+4']],
    [
      'usage never, and another answer',
      [speech, over, speech, { ...over, ...usage(9, 1) }],
      ['began', 'unknown', 'began', '9+1'],
    ],
    [
      'usage of the last one with the next one',
      [speech, over, { ...speech, ...usage(10, 4) }],
      ['began', '10+4', 'began'],
    ],
    ['nothing said', [usage(7, 0), usage(8, 0)], ['began', '7+0', 'began', '8+0']],
    [
      'nothing at all',
      [{ setupComplete: {} }, over, { goAway: { timeLeft: '5s' } }, { sessionResumptionUpdate: {} }],
      [],
    ],
    ['a tool', [tool, usage(10, 2), result, speech, { ...over, ...usage(15, 4) }], ['began', '10+2', 'began', '15+4']],
    ['a tool, told once', [tool, result, speech, { ...over, ...usage(25, 6) }], ['began', '25+6']],
    ['a tool that nobody waits for', [speech, tool, speech, { ...over, ...usage(10, 6) }], ['began', '10+6']],
    [
      'more read without a tool',
      [speech, usage(10, 2), speech, usage(14, 3), over],
      ['began', '10+2', 'began', '14+3'],
    ],
    [
      'an interruption',
      [speech, { serverContent: { interrupted: true } }, { ...over, ...usage(10, 1) }],
      ['began', '10+1'],
    ],
  ])('%s', (_, messages, events) => {
    expect(heard(messages)).toEqual(events);
  });

  it('counts a search once, however often it is told', () => {
    const session = new GeminiLiveSession();
    const searching = (queries: string[]) => ({
      serverContent: { ...speech.serverContent, groundingMetadata: { webSearchQueries: queries } },
    });
    for (const queries of [['one'], ['one', 'two']]) session.heard(JSON.stringify(searching(queries)));
    expect(session.heard(JSON.stringify({ ...over, ...usage(1, 1) }))).toMatchObject([
      { usage: { webSearchCalls: 2 } },
    ]);
  });

  it.each(['{', '[]', '', 'null', '{"serverContent":7}', '{"usageMetadata":"x"}'])(
    'that means nothing is nothing: %s',
    (text) => {
      expect(new GeminiLiveSession().heard(text)).toEqual([]);
      expect(new GeminiLiveSession().said(text)).toBeNull();
    },
  );
});

it('whatever is said on either side breaks nothing', () => {
  const names = [
    'serverContent',
    'usageMetadata',
    'toolCall',
    'setup',
    'clientContent',
    'toolResponse',
    'turnComplete',
  ];
  const value = fc.oneof(
    fc.json().map((text) => JSON.parse(text)),
    fc.constant({ turnComplete: true }),
    fc.constant({ promptTokenCount: 'x' }),
  );
  const message = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const session = new GeminiLiveSession();
      for (const one of messages) {
        session.said(JSON.stringify(one));
        session.heard(JSON.stringify(one));
      }
    }),
  );
});

describe('what is said in a session', () => {
  const said = (message: object) => new GeminiLiveSession().said(JSON.stringify(message));

  it('opens with a setup in either spelling, under the name that the provider has for the model', () => {
    const opened = said({
      setup: {
        model: 'projects/p/locations/l/publishers/google/models/live',
        generation_config: { max_output_tokens: 50 },
      },
    });
    expect(opened).toMatchObject({ kind: 'opens', turn: { model: 'live', max_output_tokens: 50 } });
    expect(opened?.kind === 'opens' && JSON.parse(opened.withEdits(new Map([['model', 'models/theirs']])))).toEqual({
      setup: { model: 'models/theirs', generation_config: { max_output_tokens: 50 } },
    });
    expect(said({ setup: { model: 'models/live', tools: [{ googleSearch: {} }] } })).toMatchObject({
      turn: { model: 'live', searches: true },
    });
    expect(said({ setup: {} })).toBeNull();
  });

  it('asks for an answer with the end of a turn or the result of a tool, and with nothing else', () => {
    expect(said({ clientContent: { turns: [], turnComplete: true } })).toEqual({ kind: 'turn' });
    expect(said({ client_content: { turn_complete: true } })).toEqual({ kind: 'turn' });
    expect(said(result)).toEqual({ kind: 'turn' });
    expect(said({ clientContent: { turns: [] } })).toBeNull();
    expect(said({ realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/pcm' } } })).toBeNull();
  });
});
