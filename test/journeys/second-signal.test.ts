import { afterEach, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* The first signal ends the gateway in order, the second one at once. */
let upstream: FakeProvider;
let gateway: GatewayProcess;

afterEach(async () => {
  await gateway?.kill();
  await upstream?.close();
});

/** A stream that lasts for longer than anybody waits here; resolves when it has begun. */
async function beginStream(): Promise<void> {
  const body = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Go on' }] };
  const reader = (await gateway.post('/v1/chat/completions', body)).body!.getReader();
  await reader.read();
  void (async () => {
    while (!(await reader.read()).done);
  })().catch(() => {});
}

for (const workers of [1, 2]) {
  it(`a second SIGTERM ends ${workers === 1 ? 'the gateway' : 'a gateway of two workers'} at once, though a stream is under way`, async () => {
    upstream = await startFakeProvider({ default: { text: 'word '.repeat(400), delayBetweenEventsMs: 100 } });
    gateway = await startGateway({
      args: workers === 1 ? [] : ['--num_workers', String(workers)],
      config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${upstream.url}/v1", api_key: none }
`,
    });
    await beginStream();
    const ended = new Promise<number | null>((resolve) => gateway.child.once('exit', resolve));
    gateway.child.kill('SIGTERM');
    const early = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 600, 'drains'))]);
    expect(early).toBe('drains');
    const signalledAt = performance.now();
    gateway.child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(performance.now() - signalledAt).toBeLessThan(1_000);
    // Nobody goes on behind its back.
    await expect.poll(() => fetch(gateway.url).catch(() => 'gone'), { timeout: 2_000 }).toBe('gone');
  });
}
