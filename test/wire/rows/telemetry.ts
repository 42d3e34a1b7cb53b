import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause, percentile, until } from '../../chaos/row.ts';
import { type Mood, startCollector } from '../../collector/collector.ts';
import type { GatewayProcess } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn, model, residentBytes } from '../gateway.ts';
import { inPlace, type Place, type WireRow } from '../row.ts';

const clients = 8;
const bufferBytesMax = 32 * 1024 * 1024;
/** What a full buffer may cost in memory, over a gateway that has none: with what batches under way take. */
const grownBytesMax = 3 * bufferBytesMax;
const sinks = ['otel', 'generic_api'] as const;

const troubles: readonly { readonly name: string; readonly mood: Mood }[] = [
  { name: 'dead', mood: { kind: 'reset' } },
  { name: 'slow', mood: { kind: 'slow', ms: 2_000 } },
  { name: 'silent', mood: { kind: 'silent' } },
  { name: 'rejecting', mood: { kind: 'status', status: 503 } },
];

/**
 * Promise 43: a collector of spans and a webhook are dead, slow, silent and rejecting, under load. No request waits for them or
 * fails, what waits is bounded, and what is lost is counted: what they got is what the gateway says it delivered,
 * whatever was told twice because its first answer came too late.
 */
export const telemetryRow: WireRow = {
  row: 43,
  kind: 'wire',
  promise: 'Telemetry never blocks traffic, and loss is counted',
  target:
    'error 0; p99 +<= 5 %; buffer <= 32 MB; dropped = produced - delivered exactly (30 minutes of trouble; MINUTES=n sets another time)',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const minutes = Number(process.env.MINUTES ?? 30);
      const phaseMs = size === 'short' ? 1_500 : (minutes * 60_000) / troubles.length;
      const fake = await fakeIn(place, { default: { text: 'word '.repeat(40) } });
      const { collector, webhook, gateway, load } = await observedGateway(place, fake.port);
      // At the same time, on the same machine, another one whose sinks are well: what is usual.
      const other = await observedGateway(place, fake.port);
      await pause(size === 'short' ? 500 : 10_000);
      const figures: Record<string, string | number> = {};
      const most = { waiting: 0, resident: 0, residentUsually: 0 };
      // Being silent costs the time in which a call is given up.
      for (const { name, mood } of size === 'short' ? troubles.filter((one) => one.name !== 'silent') : troubles) {
        collector.mood = () => mood;
        load.take();
        other.load.take();
        const endsAt = performance.now() + phaseMs;
        while (performance.now() < endsAt) {
          await pause(250);
          most.waiting = Math.max(most.waiting, total(await metricsOf(gateway), 'tollgate_sink_waiting_bytes'));
          most.resident = Math.max(most.resident, residentBytes(gateway));
          most.residentUsually = Math.max(most.residentUsually, residentBytes(other.gateway));
        }
        const [seen, usual] = [load.take(), other.load.take()];
        figures[`p99 while ${name}, and of the other (ms)`] = `${round(seen.p99)}, ${round(usual.p99)}`;
        const allowed = size === 'short' ? usual.p99 * 2 + 50 : usual.p99 * 1.05 + 2;
        if (seen.p99 > allowed) broken.push(`p99 while ${name}: ${round(seen.p99)} ms, ${round(usual.p99)} usually`);
        if (seen.errors > 0) broken.push(`${seen.errors} requests failed while the sinks were ${name}`);
      }
      await other.load.end();
      collector.mood = () => ({ kind: 'well' });
      await load.end();
      const isDrained = await until(
        async () => total(await metricsOf(gateway), 'tollgate_sink_waiting_bytes') === 0,
        size === 'short' ? 60_000 : 180_000,
        500,
      );
      await pause(500);
      if (!isDrained) broken.push('the buffer was not empty a while after the sinks were back');
      const metrics = await metricsOf(gateway);
      for (const sink of sinks) {
        const [produced, delivered, dropped] = ['produced', 'delivered', 'dropped'].map((what) =>
          figure(metrics, `tollgate_sink_${what}_total`, sink),
        ) as [number, number, number];
        const told =
          sink === 'otel' ? collector.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`) : webhook.ids;
        const got = new Set(told).size;
        figures[`${sink}: told twice, as the answer came too late`] = told.length - got;
        figures[`${sink}: produced, delivered, dropped`] = `${produced}, ${delivered}, ${dropped}`;
        if (produced !== delivered + dropped)
          broken.push(`${sink}: produced ${produced} is not ${delivered} + ${dropped}`);
        if (got !== delivered) broken.push(`${sink}: got ${got}, the gateway says ${delivered}`);
        if (produced === 0) broken.push(`${sink} was told of nothing`);
      }
      if (size === 'full') figures['minutes of trouble'] = minutes;
      figures.requests = load.requests;
      figures.errors = load.errors;
      figures['most that waited (bytes)'] = most.waiting;
      figures['most resident memory, and of the other (MiB)'] =
        `${Math.round(most.resident / 2 ** 20)}, ${Math.round(most.residentUsually / 2 ** 20)}`;
      if (most.waiting > bufferBytesMax) broken.push(`${most.waiting} bytes waited`);
      const grown = most.resident - most.residentUsually;
      if (size === 'full' && grown > grownBytesMax)
        broken.push(`${grown} bytes more memory than with sinks that are well`);
      return { figures, broken };
    }),
};

/** A gateway under load, with a collector and a webhook of its own. */
async function observedGateway(place: Place, providerPort: number) {
  const collector = await startCollector();
  place.onEnd(() => collector.close());
  const webhook = await startWebhook(place, () => collector.mood(collector.asked));
  const gateway = await gatewayIn(place, {
    config: `model_list:\n${model('m', providerPort)}litellm_settings: { callbacks: [generic_api] }\n`,
    env: { OTEL_ENDPOINT: collector.url, GENERIC_LOGGER_ENDPOINT: webhook.url },
    asShipped: true,
  });
  const load = new Load(gateway);
  place.onEnd(() => load.end());
  return { collector, webhook, gateway, load };
}

/** Clients that ask one after the other, half of them for streams. */
class Load {
  requests = 0;
  errors = 0;
  readonly #clients: Promise<void>[];
  #isOver = false;
  #times: number[] = [];
  #errorsTaken = 0;

  constructor(gateway: GatewayProcess) {
    this.#clients = Array.from({ length: clients }, (_, index) => this.#ask(gateway, index % 2 === 0));
  }

  async #ask(gateway: GatewayProcess, stream: boolean): Promise<void> {
    const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Hello' }] });
    while (!this.#isOver) {
      const at = performance.now();
      const answer = await gateway.post('/v1/chat/completions', body).catch(() => null);
      const text = await answer?.text().catch(() => null);
      this.requests += 1;
      if (answer?.status !== 200 || (stream && !text?.includes('[DONE]'))) this.errors += 1;
      this.#times.push(performance.now() - at);
      await pause(10);
    }
  }

  /** What was seen since the last time. */
  take(): { readonly p99: number; readonly errors: number } {
    const seen = { p99: percentile(this.#times, 0.99), errors: this.errors - this.#errorsTaken };
    this.#times = [];
    this.#errorsTaken = this.errors;
    return seen;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }
}

/** Notes what it is told of, in the mood of the collector. */
async function startWebhook(place: Place, moodNow: () => Mood) {
  const ids: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const mood = moodNow();
    if (mood.kind === 'silent') return;
    if (mood.kind === 'reset') return void request.socket.resetAndDestroy();
    if (mood.kind === 'status') return void response.writeHead(mood.status).end('no');
    if (mood.kind === 'slow') await pause(mood.ms);
    const told = JSON.parse(Buffer.concat(chunks).toString()) as { id: string } | { id: string }[];
    for (const { id } of [told].flat()) ids.push(id);
    response.end('{}');
  });
  server.on('clientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  place.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`, ids };
}

async function metricsOf(gateway: GatewayProcess): Promise<string> {
  return (await gateway.get('/metrics')).text();
}

function figure(metrics: string, name: string, sink: string): number {
  return Number(new RegExp(`^${name}\\{sink="${sink}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
}

function total(metrics: string, name: string): number {
  return sinks.reduce((sum, sink) => sum + figure(metrics, name, sink), 0);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
