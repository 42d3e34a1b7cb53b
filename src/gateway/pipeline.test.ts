import { describe, expect, it } from 'vitest';
import {
  budget,
  deployment,
  gateway,
  headersIn,
  price,
  principal,
  principalSource,
  rateLimit,
  simpleLedger,
  snapshot,
  TestClock,
} from '../../test/builders.ts';
import { createDescribeReply } from '../compat/litellm/response-headers.ts';
import type { Dialect } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { Reply } from '../core/exchange.ts';
import type { Principal } from '../core/identity.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { Secret } from '../core/secret.ts';
import { openaiChat } from '../dialects/openai-chat/index.ts';
import { keyIdOf } from './access/credential.ts';
import type { Gateway, Health } from './gateway.ts';
import { matchRoute } from './operations.ts';
import { refuse, serve } from './pipeline.ts';
import { createHealth } from './routing/health.ts';

const key = 'sk-user-0123456789ab';
const mocked = deployment({ id: 'dep-1', mockResponse: 'Hello there', price: price(1, 2) });

function set(
  parts: { principal?: Partial<Principal>; gateway?: Partial<Gateway>; config?: Parameters<typeof snapshot>[0] } = {},
) {
  const ledger = simpleLedger();
  const sunk: RequestRecord[] = [];
  const known = principal({ keyId: keyIdOf(key), ...parts.principal });
  const config = snapshot({
    deployments: [mocked],
    settings: { masterKeyHash: keyIdOf('sk-master') },
    ...parts.config,
  });
  const ours = gateway({
    ledger,
    dialects: new Map([['openai-chat', openaiChat as Dialect]]),
    principals: principalSource({ find: () => known }),
    snapshot: () => config,
    describeReply: createDescribeReply('1.0.0'),
    sinks: [{ record: (row) => sunk.push(row) }],
    ...parts.gateway,
  });
  return { ours, ledger, sunk, known };
}

const arrival = (body: string, headers = {}) => ({
  matched: matchRoute('/v1/chat/completions')!,
  path: '/v1/chat/completions',
  query: '',
  headers: { authorization: `Bearer ${key}`, ...headers },
  bytes: Buffer.from(body),
  clientAddress: '10.0.0.1',
  client: { gone: false, onGone() {} },
  arrivedTick: 0,
});
const chat = (more = {}) => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more });

function headersOf(reply: Reply): Record<string, string> {
  const found: Record<string, string> = {};
  for (let index = 0; index < reply.headers.length; index += 2)
    found[reply.headers[index]!] = reply.headers[index + 1]!;
  return { ...found, ...headersIn(reply.headerLines) };
}
const bodyOf = (reply: Reply) => JSON.parse(Buffer.from(reply.body as Uint8Array).toString());

describe('the pipeline', () => {
  it('serves, settles and records a request once, and tells its cost', async () => {
    const rule = budget({ id: keyIdOf(key), cap: 1e9 });
    const limits = [rateLimit({ limit: 5 }), rateLimit({ metric: 'parallel', limit: 1 })];
    const { ours, ledger, sunk } = set({ principal: { budgets: [rule], rateLimits: limits } });
    const reply = await serve(ours, arrival(chat(), { 'x-litellm-call-id': 'mine' }));
    expect(reply.status).toBe(200);
    expect(bodyOf(reply).choices[0].message.content).toBe('Hello there');
    expect(ledger.rows).toEqual(sunk);
    expect(sunk).toHaveLength(1);
    const [row] = sunk;
    expect(row).toMatchObject({
      status: 'success',
      httpStatus: 200,
      keyId: keyIdOf(key),
      keyAlias: 'alias',
      modelAsked: 'm',
      modelGroup: 'm',
      deploymentId: 'dep-1',
      provider: 'acme',
      clientAddress: '10.0.0.1',
      priceSource: 'config',
    });
    expect(row!.cost).toBeGreaterThan(0);
    expect(row!.cost).toBeLessThanOrEqual(row!.bound);
    expect(ledger.balance(rule)).toMatchObject({ spent: row!.cost, held: 0 });
    const headers = headersOf(reply);
    expect(headers).toMatchObject({
      'x-litellm-call-id': 'mine',
      'x-litellm-model-id': 'dep-1',
      'x-litellm-model-group': 'm',
      'x-litellm-attempted-retries': '0',
      'x-litellm-attempted-fallbacks': '0',
      'x-litellm-key-max-budget': '1.0',
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-api_key-limit-requests': '5',
      'x-ratelimit-api_key-remaining-max_parallel_requests': '0',
    });
    expect(Number(headers['x-litellm-response-cost']) * 1e9).toBeCloseTo(row!.cost, 3);
    expect(headers['x-litellm-key-spend']).toBe(headers['x-litellm-response-cost']);
    // The slot is free again.
    expect((await serve(ours, arrival(chat()))).status).toBe(200);
  });

  it('answers every refusal in the caller’s dialect and records it', async () => {
    const { ours, sunk, ledger } = set({ principal: { budgets: [budget({ cap: 0 })], modelAccess: [] } });
    const cases = [
      ['{"model":', 400, 'malformed_request', 'invalid_request_error'],
      [chat({ model: 'nobody' }), 400, 'unknown_model', 'invalid_request_error'],
      [chat(), 429, 'budget_exceeded', 'budget_exceeded'],
    ] as const;
    for (const [body, status, code, type] of cases) {
      const reply = await serve(ours, arrival(body, { 'x-litellm-call-id': 'mine' }));
      expect(reply.status).toBe(status);
      expect(bodyOf(reply).error).toMatchObject({ type, code: String(status) });
      expect(headersOf(reply)).toMatchObject({ 'x-litellm-call-id': 'mine', 'content-type': 'application/json' });
      expect(sunk.at(-1)).toMatchObject({ status: 'denied', httpStatus: status, errorCode: code, cost: 0 });
    }
    expect(ledger.rows).toHaveLength(3);
    expect(new Set(ledger.rows.map(({ id }) => id)).size).toBe(3);
  });

  it('sends retry-after and the limit’s headers with a 429', async () => {
    const { ours } = set({ principal: { rateLimits: [rateLimit({ limit: 0 })] } });
    const headers = headersOf(await serve(ours, arrival(chat())));
    expect(headers['retry-after']).toMatch(/^\d+$/);
    expect(headers).toMatchObject({ rate_limit_type: 'requests' });
  });

  it('keeps broken parts from the caller: no stack, no secret, the hold charged, the slot freed', async () => {
    const rule = budget({ id: keyIdOf(key), cap: 1e9 });
    const slot = rateLimit({ metric: 'parallel', limit: 1 });
    const broken = {
      ...createHealth(new TestClock()),
      someRest() {
        throw new Error('boom sk-provider-secret');
      },
    } as unknown as Health;
    const logged: string[] = [];
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (_: string, fields?: object) => void logged.push(JSON.stringify(fields)),
    };
    const { ours, sunk, ledger } = set({
      principal: { budgets: [rule], rateLimits: [slot] },
      gateway: { health: broken, log },
    });
    const secrets = [new Secret('sk-provider-secret')];
    const config = { ...ours.snapshot(), secrets };
    const reply = await serve({ ...ours, snapshot: () => config }, arrival(chat()));
    expect(reply.status).toBe(500);
    expect(JSON.stringify(bodyOf(reply))).not.toContain('boom');
    expect(sunk).toMatchObject([{ status: 'unknown', errorCode: 'internal' }]);
    expect(ledger.balance(rule)).toMatchObject({ held: 0, spent: sunk[0]!.bound });
    expect(logged.join()).toContain('boom');
    expect(logged.join()).not.toContain('sk-provider-secret');
  });

  it('charges nothing to keys whose model has no price, and warns once', async () => {
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
    const unpriced = deployment({ mockResponse: 'x', price: null });
    const { ours, sunk } = set({
      gateway: { log },
      config: { deployments: [unpriced], settings: { masterKeyHash: keyIdOf('sk-master') } },
    });
    await serve(ours, arrival(chat()));
    await serve(ours, arrival(chat()));
    expect(sunk.map(({ cost }) => cost)).toEqual([0, 0]);
    expect(warnings).toHaveLength(1);
  });

  it('keeps prompt and answer only when the operator says so and the caller does not object', async () => {
    const config = (on: boolean) => ({
      deployments: [mocked],
      settings: { masterKeyHash: keyIdOf('sk-master'), storePromptsAndAnswers: on },
    });
    const kept = set({ config: config(true) });
    await serve(kept.ours, arrival(chat()));
    await serve(kept.ours, arrival(chat({ 'no-log': true })));
    expect(kept.sunk.map(({ requestText }) => requestText !== null)).toEqual([true, false]);
    const silent = set({ config: config(false) });
    await serve(silent.ours, arrival(chat()));
    expect(silent.sunk[0]).toMatchObject({ requestText: null, responseText: null });
  });

  it('lets the door refuse with a row too', () => {
    const { ours, sunk } = set();
    const reply = refuse(ours, arrival(''), new GatewayError('body_too_large', 'too large'));
    expect(reply.status).toBe(413);
    expect(sunk).toMatchObject([{ status: 'denied', httpStatus: 413, keyId: null }]);
  });

  it('survives sinks and header writers that throw', async () => {
    const sinks = [
      {
        record() {
          throw new Error('sink');
        },
      },
    ];
    const describeReply = () => {
      throw new Error('headers');
    };
    const { ours } = set({ gateway: { sinks, describeReply } });
    expect((await serve(ours, arrival(chat()))).status).toBe(200);
  });
});
