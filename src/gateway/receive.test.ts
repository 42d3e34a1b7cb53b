import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gateway, snapshot } from '../../test/builders.ts';
import type { Dialect } from '../core/dialect.ts';
import type { GatewayError } from '../core/errors.ts';
import type { CallerHeaders, Received } from '../core/exchange.ts';
import type { JsonObject } from '../core/json.ts';
import { openaiChat } from '../dialects/openai-chat/index.ts';
import type { Arrival } from './arrival.ts';
import { matchRoute } from './operations.ts';
import { fieldsToStrip } from './receive/gateway-fields.ts';
import { jsonBody } from './receive/json-body.ts';
import { jsonFault } from './receive/json-fault.ts';
import { readRequestOptions } from './receive/request-options.ts';
import { beginRequest, receive } from './receive.ts';

const dialects = new Map([['openai-chat', openaiChat as Dialect]] as const);

function arrive(body: string, headers: CallerHeaders = {}, path = '/v1/chat/completions'): Received {
  const arrival: Arrival = {
    matched: matchRoute(path)!,
    path,
    query: '',
    headers,
    bytes: Buffer.from(body),
    clientAddress: null,
    client: { gone: false, onGone() {} },
    arrivedTick: 0,
  };
  const ours = gateway({ dialects });
  return receive(ours, arrival, beginRequest(ours, arrival));
}

function fault(run: () => unknown): string {
  try {
    run();
  } catch (cause) {
    expect((cause as GatewayError).code).toBe('malformed_request');
    return (cause as GatewayError).message;
  }
  throw new Error('nothing was refused');
}

const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

describe('data routes', () => {
  it.each([
    ['/v1/chat/completions', 'openai-chat', undefined],
    ['/chat/completions', 'openai-chat', undefined],
    ['/openai/deployments/gpt-4o/chat/completions', 'openai-chat', 'gpt-4o'],
    ['/engines/acme%2Fx/chat/completions', 'openai-chat', 'acme/x'],
    ['/openai/deployments/acme/x/embeddings', 'openai-embeddings', 'acme/x'],
    ['/engines/m/completions', 'openai-completions', 'm'],
    ['/v1/messages', 'anthropic-messages', undefined],
    ['/engines/%E0%A4%A/completions', 'openai-completions', '%E0%A4%A'],
  ])('%s speaks %s for model %s', (path, dialect, model) => {
    expect(matchRoute(path)).toMatchObject({ route: { dialect }, model });
  });

  it.each(['/', '/v2/chat/completions', '/v1/chat/completions/', '/engines//completions', '/engines/chat/completions'])(
    'knows nothing of %s, or reads it as a model',
    (path) => {
      expect(matchRoute(path)?.model ?? 'none').toBe(path === '/engines/chat/completions' ? 'chat' : 'none');
    },
  );
});

describe('receive: the body', () => {
  it('lets the model of the path override the body’s', () => {
    expect(arrive(JSON.stringify(chat), {}, '/engines/other/chat/completions').facts.model).toBe('other');
    expect(arrive(JSON.stringify(chat)).facts.model).toBe('m');
  });

  it('says what is wrong with a body and where', () => {
    expect(fault(() => arrive(''))).toBe('The request body is empty; it must be a JSON object.');
    expect(fault(() => arrive('[1]'))).toContain('must be a JSON object, but it is a list');
    expect(fault(() => arrive('null'))).toContain('but it is null');
    expect(fault(() => arrive('{"model":\n  "m",,}'))).toBe(
      `The request body is not valid JSON: line 2, column 7: expected a member name in double quotes, but found ",".`,
    );
  });

  it.each([
    ['cut', [0xe4, 0xb8], 11],
    ['lone', [0xff], 11],
    ['after one that was written', [...Buffer.from('\ufffd語'), 0xc3], 17],
  ])('says where a character is broken: %s', (_, inside, place) => {
    const bytes = Buffer.concat([Buffer.from('{"model":"'), Buffer.from(inside), Buffer.from('"}')]);
    expect(() => jsonBody(bytes)).toThrow(`not valid UTF-8: see its byte ${place}.`);
    expect(jsonBody(Buffer.from('{"model":"\ufffd"}'))).toEqual({ model: '\ufffd' });
  });

  it.each([
    ['{"a":1', "line 1, column 7: expected ',' or the end of what is open, but it ends there"],
    ['{"a" 1}', `line 1, column 6: expected ':', but found "1"`],
    ["{'a':1}", `line 1, column 2: expected a member name in double quotes or '}', but found "'"`],
    ['{"a":True}', 'line 1, column 6: expected a value, but found "T"'],
    ['{"a":[1,]}', 'line 1, column 9: expected a value, but found "]"'],
    ['{"a":"x', 'line 1, column 6: expected a value, but found a string that is not closed or holds a bad character'],
    ['{}x', 'line 1, column 3: expected nothing more, but found "x"'],
  ])('finds the fault in %s', (text, expected) => {
    expect(jsonFault(text)).toBe(expected);
  });

  it('finds a fault in every text that is not JSON, quickly even when it is deep', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, cut) => {
        const broken = text.slice(0, cut % (text.length + 1));
        let valid = true;
        try {
          JSON.parse(broken);
        } catch {
          valid = false;
        }
        expect(jsonFault(broken).includes('expected nothing more, but it ends there')).toBe(valid);
      }),
    );
    expect(jsonFault('['.repeat(100_000))).toContain('column 100001');
  });

  it('gives every request an id of its own, whatever the caller calls it', () => {
    const first = arrive(JSON.stringify(chat), { 'x-litellm-call-id': 'mine-1' });
    const second = arrive(JSON.stringify(chat), { 'x-litellm-call-id': 'mine-1' });
    expect(first.options.callId).toBe('mine-1');
    expect(first.id).toMatch(/^mine-1\./);
    expect(arrive(JSON.stringify(chat), { 'x-litellm-call-id': 'a\r\nb' }).options.callId).toBeNull();
    expect(second.id.length).toBeGreaterThan(30);
  });
});

describe('request options', () => {
  const read = (
    body: JsonObject,
    headers: CallerHeaders = {},
    dialect: 'openai-chat' | 'anthropic-messages' = 'openai-chat',
  ) => readRequestOptions({ ...chat, ...body }, headers, dialect, { callId: null, snapshot: snapshot() });

  it('shares one value among requests that ask for nothing', () => {
    expect(read({ temperature: 1 })).toBe(read({}, { 'user-agent': 'x' }));
  });

  it('reads fields and headers, headers first', () => {
    const options = read(
      {
        tags: ['a', 'b'],
        metadata: { tags: ['b', 'c'], trace_id: 't', session_id: 's' },
        litellm_metadata: { more: 1 },
        fallbacks: ['x', { model: 'y', messages: [] }],
        num_retries: 1,
        timeout: '2.5',
        stream_timeout: 3,
        cache: { 'no-cache': true, ttl: 10, 's-maxage': 5, namespace: 'n' },
        mock_testing_fallbacks: true,
        'no-log': true,
        disable_fallbacks: true,
        api_key: 'sk-own',
      },
      {
        'x-litellm-tags': 'd, a',
        'x-litellm-num-retries': '4',
        'x-litellm-session-id': 'hs',
        'x-litellm-customer-id': 'c',
      },
    );
    expect(options).toMatchObject({
      tags: ['a', 'b', 'c', 'd'],
      metadata: { more: 1, trace_id: 't' },
      traceId: 't',
      sessionId: 'hs',
      retries: 4,
      timeoutMs: 2_500,
      streamTimeoutMs: 3_000,
      cache: { noCache: true, noStore: false, ttlMs: 10_000, ageMaxMs: 5_000, namespace: 'n' },
      mockFailure: 'fallbacks',
      noLog: true,
      fallbacksDisabled: true,
      endUser: 'c',
      connection: { api_key: 'sk-own' },
      fallbacks: [
        { model: 'x', overrides: {} },
        { model: 'y', overrides: { messages: [] } },
      ],
    });
  });

  it('takes the trace of a traceparent, and leaves metadata to the format that owns it', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    expect(read({}, { traceparent }).traceId).toBe('a'.repeat(32));
    expect(read({ metadata: { user_id: 'u' } }, {}, 'anthropic-messages').metadata).toEqual({});
  });

  it.each([
    [{ tags: 'a' }, 'tags: expected a list of texts, got string.'],
    [{ metadata: [] }, 'metadata: expected an object, got a list.'],
    [{ metadata: { tags: [1] } }, 'metadata.tags: expected a list of texts, got a list.'],
    [{ num_retries: -1 }, 'num_retries: expected a whole number from 0 to 100, got number.'],
    [{ timeout: 'soon' }, 'timeout: expected a number of seconds, 0 or more, got string.'],
    [{ cache: { ttl: {} } }, 'cache.ttl: expected a number of seconds, 0 or more, got object.'],
    [{ fallbacks: [{}] }, 'fallbacks[0]: expected a model name or an object with `model`, got object.'],
    [{ disable_fallbacks: 'yes' }, 'disable_fallbacks: expected true or false, got string.'],
  ])('refuses %j', (body, message) => {
    expect(fault(() => read(body as JsonObject))).toBe(message);
  });

  it('bounds tags', () => {
    expect(fault(() => read({ tags: Array.from({ length: 51 }, (_, index) => `t${index}`) }))).toContain(
      'at most 50 tags',
    );
  });

  it('strips what is the gateway’s, and metadata unless it is the format’s', () => {
    const strip = (body: JsonObject, dialect: 'openai-chat' | 'anthropic-messages' = 'openai-chat') =>
      fieldsToStrip(body, dialect);
    expect(
      ['metadata', 'tags', 'cache', 'fallbacks', 'guardrails', 'api_key'].every((name) => strip({}).has(name)),
    ).toBe(true);
    expect(strip({ store: true }).has('metadata')).toBe(false);
    expect(strip({}, 'anthropic-messages').has('metadata')).toBe(false);
    expect(strip({ litellm_new: 1, mock_new: 1, temperature: 1 })).toSatisfy(
      (names: Set<string>) => names.has('litellm_new') && names.has('mock_new') && !names.has('temperature'),
    );
  });
});
