import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FakeProvider } from '../fake-provider/index.ts';
import type { Client, Heard } from './clients/client.ts';
import { clients } from './clients/index.ts';
import { groupOf, names, startEveryUpstream } from './support/every-upstream.ts';
import { type GatewayProcess, masterKey } from './support/gateway-process.ts';

/* Every client that developers already have, in front of every format that providers speak: none of them may notice. */

let fake: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  ({ fake, gateway } = await startEveryUpstream());
});
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

const text = 'Grüezi, 世界 👋 – one two three';
const cities = [{ city: 'Zürich', unit: '°C' }, { city: '東京' }];
const toolCalls = cities.map((city) => ({ name: 'get_weather', arguments: city }));
const results = ['sunny at 21°', 'rain all day'];

/** What the client was told is what the provider bills. */
function expectBilled(client: Client, { inputTokens, outputTokens }: Heard, isStream: boolean): void {
  if (isStream && client.readsUsageInStreams === false) return;
  const { usage } = fake.invoice.at(-1)!;
  expect({ inputTokens, outputTokens }).toEqual({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => expect.fail(`no error, but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

describe.each(clients.map((client): [string, Client] => [client.name, client]))('%s', (_name, client) => {
  describe.each(names)('in front of %s', (upstream) => {
    const begin = (hasTools = false) => client.open(gateway.url, masterKey)(groupOf(upstream), hasTools);

    test.each([
      ['whole', false],
      ['as a stream', true],
    ])('is answered and has two tools called at once, %s', async (_how, isStream) => {
      fake.setDefault({ text });
      const said = await begin().ask(isStream);
      expect(said).toMatchObject({ text, calls: [], finish: client.finishes.said });
      expectBilled(client, said, isStream);

      fake.setDefault({ text: '', toolCalls });
      const conversation = begin(true);
      const called = await conversation.ask(isStream);
      expect(called).toMatchObject({ text: '', calls: toolCalls, finish: client.finishes.called });
      expectBilled(client, called, isStream);

      fake.setDefault({ text: 'Sun and rain.' });
      const last = await conversation.answer(results, isStream);
      expect(last).toMatchObject({ text: 'Sun and rain.', calls: [], finish: client.finishes.said });
      const sent = fake.requests.at(-1)!.body.toString();
      const places = [...cities.map(({ city }) => city), ...results].map((word) => sent.indexOf(word));
      expect(places).not.toContain(-1);
      expect(sent.indexOf(results[0]!)).toBeLessThan(sent.indexOf(results[1]!));
    });

    test('takes an error for its own, and a broken stream for broken', async () => {
      fake.setDefault({ status: 400, error: { message: 'temperature must be at most 2' } });
      for (const isStream of [false, true]) {
        const failure = client.failure(await caught(begin().ask(isStream)));
        expect(failure).toMatchObject({ status: 400, message: expect.stringContaining('must be at most 2') });
        expect(failure!.message).not.toContain('sk-upstream-secret');
      }
      fake.setDefault({ text, reset: { event: 6 }, delayBetweenEventsMs: 2 });
      const finish = await begin()
        .ask(true)
        .then(
          (heard) => heard.finish,
          () => 'failed',
        );
      expect(finish).not.toBe(client.finishes.said);
    });
  });
});
