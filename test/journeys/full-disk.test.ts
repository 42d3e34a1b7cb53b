import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/*
 * A disk that takes nothing more, under a program that runs: Linux lets nobody write a file beyond the length that `prlimit` sets,
 * which to the program is the same.
 */
const outputTokens = 10;
const nanodollars = 1_000;

let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ text: 'word '.repeat(10), usage: { inputTokens: 5, outputTokens } });
  gateway = await startGateway({
    config: selling(upstream.url, nanodollars / 1e9),
  });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(gateway.child.pid), `--fsize=${bytes}:unlimited`]);
}

async function ask(key: string): Promise<{ status: number; text: string }> {
  const messages = [{ role: 'user', content: 'Hello' }];
  const answer = await gateway.post('/v1/chat/completions', { model: 'm', max_tokens: 20, messages }, key);
  return { status: answer.status, text: await answer.text() };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to pass within 10 s');
}

async function spentOf(key: string): Promise<number> {
  const answer = await gateway.get(`/budget/chain?key=${key}`);
  const { accounts } = (await answer.json()) as { accounts: { spent: number; held: number }[] };
  return Math.round(accounts[0]!.spent * 1e9);
}

it('refuses under a hard budget while the disk is full, loses nothing, and goes on by itself', async () => {
  const key = await gateway.makeKey({ max_budget: 1 });
  expect((await ask(key)).status).toBe(200);
  limitFiles(512);
  const seen = new Set<string>();
  await until(async () => {
    const { status, text } = await ask(key);
    if (status !== 200) seen.add(`${status} ${text}`);
    return status === 503;
  });
  for (let turn = 0; turn < 10; turn++) expect((await ask(key)).status).toBe(503);
  const sentWhileFull = upstream.invoice.length;
  const change = await gateway.post('/key/generate', {});
  expect([change.status, await change.text()]).toEqual([
    503,
    expect.stringMatching(/disk is full.*Nothing was changed/),
  ]);
  expect([...seen].join()).toMatch(/cannot write its journal|database does not answer|budget store does not answer/);
  limitFiles('unlimited');
  await until(async () => (await ask(key)).status === 200);
  // Everything that was sent is charged, also what was settled while nothing could be written.
  await until(async () => (await spentOf(key)) === upstream.invoice.length * outputTokens * nanodollars);
  expect(upstream.invoice.length).toBe(sentWhileFull + 1);
  expect(gateway.log()).toContain('The journal cannot be written');
  expect(gateway.log()).toContain('The journal can be written again');
});
