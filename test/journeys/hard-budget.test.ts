import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* A monthly cap of 500 dollars under 50 clients at once: refused at the cap, not a cent over, nothing refused that fits. */
const boundDollars = 2.5;
const outputTokensMax = 50;

let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  gateway = await startGateway({
    config: selling(upstream.url, { dear: boundDollars / outputTokensMax }),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

it('refuses with 429 at the cap under 50 clients, having overspent by nothing and refused nothing that fit', async () => {
  const made = await gateway.post('/key/generate', {
    max_budget_usd: 500,
    budget_duration: 'monthly',
    key_alias: 'team-a',
  });
  const { key, max_budget } = (await made.json()) as { key: string; max_budget: number };
  expect(max_budget).toBe(500);

  const ask = (turn: string) =>
    gateway.post(
      '/v1/chat/completions',
      { model: 'dear', max_tokens: outputTokensMax, messages: [{ role: 'user', content: `Go on ${turn}` }] },
      key,
    );
  let served = 0;
  const refusals: string[] = [];
  const client = async (number: number) => {
    for (let turn = 0; turn < 40; turn++) {
      const answer = await ask(`${number}.${turn}`);
      const text = await answer.text();
      if (answer.status === 200) served++;
      else {
        expect(answer.status).toBe(429);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        refusals.push(text);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: 50 }, (_, number) => client(number)));
  expect(refusals.length).toBeGreaterThan(0);
  expect(JSON.parse(refusals[0]!)).toMatchObject({
    error: {
      type: 'budget_exceeded',
      code: '429',
      param: null,
      message: expect.stringMatching(/^Budget has been exceeded!.*Max budget: 500/),
    },
  });

  // With nothing in flight, one client takes what is left: it is refused only when a request no longer fits.
  let answer = await ask('alone');
  while (answer.status === 200) {
    served++;
    await answer.arrayBuffer();
    answer = await ask(`alone ${served}`);
  }
  expect(answer.status).toBe(429);
  const shown = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
  const billed =
    upstream.invoice.reduce((sum, entry) => sum + entry.usage.outputTokens, 0) * (boundDollars / outputTokensMax);
  expect(shown.info.spend).toBeCloseTo(billed, 6);
  expect(shown.info.spend).toBeLessThanOrEqual(500);
  expect(500 - shown.info.spend).toBeLessThan(boundDollars);
  expect(upstream.invoice.length).toBe(served);
});
