import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, rateLimited, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* A configuration that is replaced while people work: nothing is dropped, nothing learned about deployments is lost. */

let fast: FakeProvider;
let second: FakeProvider;
let gateway: GatewayProcess;

const settings = (strategy: string) => `router_settings:
  routing_strategy: ${strategy}
  num_retries: 1
  cooldown_time: 120
`;

/** Models that stay as they are in every configuration of this file, and those given. */
const written = (models: readonly string[], strategy = 'least-busy') => `model_list:
${deployment('steady', fast.url, 'openai/steady')}
${deployment('pair', fast.url, 'openai/pair-first')}
${deployment('pair', second.url, 'openai/pair-second')}
${deployment('race', fast.url, 'openai/race-first')}
${deployment('race', second.url, 'openai/race-second')}
${models.map((model) => deployment(model, fast.url, `openai/${model}`)).join('\n')}
${settings(strategy)}`;

const write = (text: string) => writeFileSync(join(gateway.folder, 'config.yaml'), text);

const chat = (model: string, more: object = {}) =>
  gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hello' }], ...more });

const statusOf = async (model: string): Promise<number> => {
  const answer = await chat(model);
  await answer.text();
  return answer.status;
};

const sentTo = (provider: FakeProvider, model: string): number =>
  provider.requests.filter(({ json }) => (json as { model?: string } | undefined)?.model === model).length;

beforeAll(async () => {
  fast = await startFakeProvider();
  second = await startFakeProvider();
  fast.setDefault({ delayBetweenEventsMs: 15 });
  gateway = await startGateway({ config: written(['leaving']) });
});

afterAll(async () => {
  await gateway?.stop();
  await fast?.close();
  await second?.close();
});

/** Replaces the models beside the steady ones by one, and returns when it is served. */
async function reloaded(model: string, strategy?: string): Promise<void> {
  write(written([model], strategy));
  gateway.child.kill('SIGHUP');
  await expect.poll(() => statusOf(model), { timeout: 5_000, interval: 25 }).toBe(200);
}

/** Works with 20 clients, every second one streaming, until told to stop; every answer that was not whole is told. */
function work(): { stop(): Promise<{ answers: number; faults: string[] }> } {
  let isOver = false;
  let answers = 0;
  const faults: string[] = [];
  const client = async (number: number) => {
    const stream = number % 2 === 0;
    while (!isOver) {
      try {
        const answer = await chat('steady', { stream, max_tokens: 20 });
        const text = await answer.text();
        answers++;
        const isWhole = stream ? text.trimEnd().endsWith('data: [DONE]') && !text.includes('"error"') : true;
        if (answer.status !== 200 || !isWhole) faults.push(`${answer.status} ${text.slice(-300)}`);
      } catch (cause) {
        faults.push(String(cause));
      }
    }
  };
  const clients = Array.from({ length: 20 }, (_, number) => client(number));
  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return { answers, faults };
    },
  };
}

describe.each([
  ['SIGHUP', 'arriving-by-signal', (): boolean => gateway.child.kill('SIGHUP')],
  ['a changed file alone', 'arriving-by-file', (): boolean => false],
] as const)('a configuration replaced by %s under load', (_, arriving, tell) => {
  it('takes effect within 3 s and drops nothing', async () => {
    await reloaded('leaving');
    const load = work();
    await new Promise((done) => setTimeout(done, 300));

    const writtenAt = Date.now();
    write(written([arriving]));
    tell();
    await expect.poll(() => statusOf(arriving), { timeout: 5_000, interval: 50 }).toBe(200);
    expect(Date.now() - writtenAt).toBeLessThan(3_000);
    const refused = await chat('leaving');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('Invalid model name passed in model=leaving');

    await new Promise((done) => setTimeout(done, 300));
    const { answers, faults } = await load.stop();
    expect(faults).toEqual([]);
    expect(answers).toBeGreaterThan(20);
  });
});

it('lets an answer finish whose model is gone from the configuration', async () => {
  await reloaded('leaving');
  fast.setForModel('leaving', { delayBetweenEventsMs: 100, text: 'word '.repeat(15) });
  const answer = await chat('leaving', { stream: true });
  await reloaded('arriving');
  expect(await statusOf('leaving')).toBe(400);
  const text = await answer.text();
  expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
  fast.setForModel('leaving', undefined);
});

describe('what is known about unchanged deployments', () => {
  it('their requests in flight', async () => {
    fast.setForModel('pair-first', { delayBetweenEventsMs: 100, text: 'word '.repeat(15) });
    second.setForModel('pair-second', { delayBetweenEventsMs: 100, text: 'word '.repeat(15) });
    const open = await chat('pair', { stream: true });
    const [busy, free] = sentTo(fast, 'pair-first') === 1 ? (['first', second] as const) : (['second', fast] as const);
    fast.setForModel('pair-first', undefined);
    second.setForModel('pair-second', undefined);
    await reloaded('marker-busy');
    const before = sentTo(free, busy === 'first' ? 'pair-second' : 'pair-first');
    for (let turn = 0; turn < 8; turn++) expect(await statusOf('pair')).toBe(200);
    expect(sentTo(free, busy === 'first' ? 'pair-second' : 'pair-first') - before).toBe(8);
    await open.text();
  });

  it('how fast they answer', async () => {
    await reloaded('marker-fast', 'latency-based-routing');
    fast.setForModel('race-first', { delayBeforeHeadersMs: 200 });
    for (let turn = 0; turn < 6; turn++) expect(await statusOf('race')).toBe(200);
    await reloaded('marker-faster', 'latency-based-routing');
    const before = sentTo(second, 'race-second');
    for (let turn = 0; turn < 8; turn++) expect(await statusOf('race')).toBe(200);
    expect(sentTo(second, 'race-second') - before).toBe(8);
    fast.setForModel('race-first', undefined);
  });

  it('that they are cooling down', async () => {
    await reloaded('marker-cool', 'simple-shuffle');
    fast.setForModel('pair-first', rateLimited(120));
    const before = sentTo(fast, 'pair-first');
    for (let turn = 0; turn < 60 && sentTo(fast, 'pair-first') === before; turn++) await statusOf('pair');
    expect(sentTo(fast, 'pair-first') - before).toBe(1);
    fast.setForModel('pair-first', undefined);
    await reloaded('marker-cooler', 'simple-shuffle');
    for (let turn = 0; turn < 12; turn++) expect(await statusOf('pair')).toBe(200);
    expect(sentTo(fast, 'pair-first') - before).toBe(1);
    const health = await (await fetch(`${gateway.url}/health?model=pair`)).json();
    expect(health).toMatchObject({ unhealthy_endpoints: [{ error: expect.stringContaining('cooling down') }] });
  });
});

describe('a file with a mistake', () => {
  it('changes nothing and says where the mistake is; the mended one is taken', async () => {
    await reloaded('before-mistake');
    const logged = gateway.log().length;

    const broken = written(['after-mistake']).replace('routing_strategy: least-busy', 'routing_strategy: least-bussy');
    write(broken.replace('num_retries: 1', 'num_retires: 1'));
    gateway.child.kill('SIGHUP');
    const told = () => gateway.log().slice(logged);
    await expect.poll(told, { timeout: 3_000, interval: 50 }).toContain('refused');
    const line = broken.split('\n').findIndex((text) => text.includes('least-bussy')) + 1;
    expect(told()).toMatch(
      new RegExp(`config\\.yaml:${line}:21 router_settings\\.routing_strategy: .*did you mean least-busy\\?`),
    );
    expect(told()).toMatch(new RegExp(`config\\.yaml:${line + 1}:3 .*num_retires.*did you mean num_retries\\?`));
    expect(await statusOf('before-mistake')).toBe(200);
    expect(await statusOf('after-mistake')).toBe(400);

    write(written(['after-mistake']));
    await expect.poll(() => statusOf('after-mistake'), { timeout: 5_000, interval: 50 }).toBe(200);
    expect(await statusOf('before-mistake')).toBe(400);
  });

  it('is told once for one change', async () => {
    const before = gateway.log().length;
    write('model_list: {');
    gateway.child.kill('SIGHUP');
    await new Promise((done) => setTimeout(done, 2_500));
    const told = gateway.log().slice(before);
    expect(told.match(/the new configuration is refused/g)).toHaveLength(1);
  });
});
