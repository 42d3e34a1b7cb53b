import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* An answer in the background whose gateway stops or dies comes to an end, is settled, and is not sent a second time. */
const boundDollars = 0.5;
const outputTokensMax = 100;
const skewedClock = pathToFileURL(join(import.meta.dirname, '../chaos/skewed-clock.ts')).href;

let folder: string;
let upstream: FakeProvider;
let config: string;
let gateway: GatewayProcess;
let key: string;
let id: string;

interface Told {
  readonly id: string;
  readonly status: string;
  readonly background: boolean;
  readonly error: { code: string; message: string } | null;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-background-'));
  upstream = await startFakeProvider({ default: { stall: { at: 'before-headers' } } });
  config = `
${selling(upstream.url, boundDollars / outputTokensMax)}router_settings: { num_retries: 0 }
`;
  gateway = await startGateway({ config, folder });
  key = await gateway.makeKey({ max_budget: 10 });
  const asked = { model: 'm', input: 'For ever', background: true, max_output_tokens: outputTokensMax };
  const queued = (await (await gateway.post('/v1/responses', asked, key)).json()) as Told;
  expect(queued).toMatchObject({ status: 'queued', error: null });
  id = queued.id;
  await expect.poll(() => upstream.requests.length, { timeout: 5_000 }).toBe(1);
});

afterEach(async () => {
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

const told = async (method: string, suffix = '') => {
  const headers = { authorization: `Bearer ${key}` };
  return (await (await fetch(`${gateway.url}/v1/responses/${id}${suffix}`, { method, headers })).json()) as Told;
};

const failed = {
  status: 'failed',
  background: true,
  error: { code: 'server_error', message: 'The gateway stopped while it worked on this answer. Ask again.' },
};

async function spend(): Promise<number> {
  return ((await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } }).info.spend;
}

it('that was killed', async () => {
  await gateway.kill();
  const clockFile = join(folder, 'clock-offset');
  const setClock = (offsetMs: number) => writeFileSync(clockFile, String(offsetMs));
  setClock(0);
  gateway = await startGateway({
    config,
    folder,
    env: { NODE_OPTIONS: `--import=${skewedClock}`, CHAOS_CLOCK_FILE: clockFile },
  });
  await expect.poll(spend, { timeout: 5_000 }).toBeCloseTo(boundDollars, 9);
  // Another process might have it still: what its own one said last holds for thirty seconds.
  expect((await told('GET')).status).not.toBe('failed');
  setClock(30_000);
  await expect.poll(async () => (await told('GET')).status, { timeout: 5_000 }).toBe('failed');
  expect(await told('GET')).toMatchObject(failed);
  expect(await told('POST', '/cancel')).toMatchObject(failed);
  const next = await gateway.post('/v1/responses', { model: 'm', input: 'And then?', previous_response_id: id }, key);
  expect(next.status).toBe(400);
  expect(JSON.stringify(await next.json())).toContain('is not finished');
  expect(upstream.requests.length).toBe(1);
});

it('that was stopped', async () => {
  await gateway.stop();
  gateway = await startGateway({ config, folder });
  expect(await told('GET')).toMatchObject(failed);
  // Like one whose caller leaves before the provider has said anything.
  expect(await spend()).toBe(0);
  expect(upstream.requests.length).toBe(1);
});
