import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Soft budgets and caps that are crossed are told once in a window, to a webhook that fails at first. */
const outputTokensMax = 100;
const received: { path: string; body: Record<string, unknown> }[] = [];
let failuresLeft = 2;
let hook: Server;
let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  hook = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    response.statusCode = failuresLeft-- > 0 ? 503 : 200;
    if (response.statusCode === 200) received.push({ path: request.url!, body: JSON.parse(text) });
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
  upstream = await startFakeProvider();
  upstream.setDefault({ usage: { inputTokens: 1, outputTokens: outputTokensMax } });
  gateway = await startGateway({
    env: { WEBHOOK_URL: `${address}/hook`, SLACK_WEBHOOK_URL: `${address}/slack` },
    config: `
${selling(upstream.url, 1 / outputTokensMax)}general_settings: { alerting: [webhook, slack] }
`,
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  hook?.close();
});

it('tells a crossed soft budget and a used-up cap once each, and delays nobody', async () => {
  const body = { key_alias: 'alarmed', soft_budget: 2, max_budget: 4, budget_duration: '1d' };
  const { key, token } = (await (await gateway.post('/key/generate', body)).json()) as { key: string; token: string };
  const statuses: number[] = [];
  for (let turn = 0; turn < 7; turn++) {
    const messages = [{ role: 'user', content: `Turn ${turn}` }];
    const answer = await gateway.post(
      '/v1/chat/completions',
      { model: 'm', max_tokens: outputTokensMax, messages },
      key,
    );
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429, 429]);
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(6);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const hooked = received.filter(({ path }) => path === '/hook').map((one) => one.body);
  expect(hooked).toHaveLength(3);
  expect(hooked).toContainEqual(
    expect.objectContaining({
      event: 'soft_budget_crossed',
      event_group: 'key',
      token,
      key_alias: 'alarmed',
      spend: 2,
      max_budget: 4,
    }),
  );
  expect(hooked).toContainEqual(expect.objectContaining({ event: 'threshold_crossed', spend: 4 }));
  expect(hooked).toContainEqual(expect.objectContaining({ event: 'budget_crossed', spend: 4 }));
  const slack = received.filter(({ path }) => path === '/slack').map((one) => String(one.body.text));
  expect(slack.some((text) => /alarmed crossed its soft budget: spent 2\.0 of 2\.0 dollars/.test(text))).toBe(true);
  expect(gateway.log()).toContain('used up its budget');
}, 60_000);
