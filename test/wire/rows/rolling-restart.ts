import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Balancer, startBalancer } from '../../../scripts/cluster/balancer.ts';
import { Replica } from '../../../scripts/cluster/replica.ts';
import { freePort } from '../../../scripts/servers/child.ts';
import { makeDatabase, startPostgres } from '../../../scripts/servers/postgres.ts';
import { pause } from '../../chaos/row.ts';
import { startFakeProvider } from '../../fake-provider/index.ts';
import { inPlace, type Place, type WireRow } from '../row.ts';

const masterKey = 'sk-master-key-of-the-restarts-0123456789';
/** 100 ms each. */
const slowEventsMax = 200;
const restartsFull = Number(process.env.TOLLGATE_RESTARTS ?? 100);

interface Seen {
  answered: number;
  streams: number;
  longestMs: number;
  readonly failures: string[];
}

/** Promise 19: replicas behind a balancer that honours readiness are restarted one after the other; clients keep their connections and never repeat a request. */
export const rollingRestartRow: WireRow = {
  row: 19,
  promise: 'Rolling restart loses nothing',
  target: 'failed 0, truncated 0 of 200,000 requests at 200 a second over 100 restarts, streams of 0.1 to 20 s',
  kind: 'wire',
  run: (size) =>
    inPlace(async (place) => {
      const restarts = size === 'short' ? 3 : restartsFull;
      const { balancer, replicas, key, make } = await setUp(place);
      const seen: Seen = { answered: 0, streams: 0, longestMs: 0, failures: [] };
      let isOver = false;
      const clients = size === 'short' ? 8 : 60;
      const slowClients = size === 'short' ? 2 : 12;
      const startedAt = performance.now();
      const load = Array.from({ length: clients }, (_, number) =>
        client({ balancer, key, seen, number, isSlow: number < slowClients, isShort: size === 'short' }, () => isOver),
      );
      const ends: Promise<number | null>[] = [];
      for (let restart = 0; restart < restarts; restart++) {
        const at = restart % replicas.length;
        const replica = replicas[at]!;
        if (size === 'short') {
          // In place: on its folder and port, while two are left.
          ends.push(replica.stop());
          await ends.at(-1);
          await replica.start();
        } else {
          // As an orchestrator does it: another one takes over, and this one has the time that its streams take.
          const next = await make();
          await next.start();
          balancer.add(next.port);
          await balancer.whenReady(replicas.length + 1);
          replicas[at] = next;
          const end = replica.stop();
          ends.push(end);
          void end.then(() => balancer.remove(replica.port));
        }
        await balancer.whenReady(replicas.length);
      }
      isOver = true;
      await Promise.all(load);
      const codes = await Promise.all(ends);
      const seconds = (performance.now() - startedAt) / 1_000;
      const broken = seen.failures.slice(0, 10);
      const unclean = codes.filter((code) => code !== 0).length;
      if (balancer.failed() > 0) broken.push(`the balancer counts ${balancer.failed()} failures`);
      if (unclean > 0) broken.push(`${unclean} replicas did not end in order`);
      if (seen.answered < restarts * 4) broken.push(`nothing was shown: ${seen.answered} answers`);
      return {
        figures: {
          restarts,
          requests: seen.answered + seen.failures.length,
          'requests a second': Math.round(seen.answered / seconds),
          streams: seen.streams,
          'longest stream (ms)': Math.round(seen.longestMs),
          'failed or truncated': seen.failures.length,
          'ended out of order': unclean,
        },
        broken,
      };
    }),
};

async function setUp(place: Place) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-rolling-'));
  place.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const fast = await startFakeProvider({ default: { delayBeforeHeadersMs: 5, delayBetweenEventsMs: 8 } });
  place.onEnd(() => fast.close());
  const text = 'word '.repeat(slowEventsMax + 10);
  const slow = await startFakeProvider({ default: { text, charactersPerPiece: 5, delayBetweenEventsMs: 100 } });
  place.onEnd(() => slow.close());
  const postgres = await startPostgres();
  place.onEnd(() => postgres.close());
  const database = await makeDatabase(postgres.url);
  const configFile = join(folder, 'config.yaml');
  const entry = (name: string, url: string) =>
    `  - { model_name: ${name}, litellm_params: { model: openai/${name}, api_base: "${url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.000001 } }`;
  writeFileSync(configFile, `model_list:\n${entry('fast', fast.url)}\n${entry('slow', slow.url)}\n`);
  const made: Replica[] = [];
  place.onEnd(() => Promise.all(made.map((replica) => replica.stop())));
  const make = async () => {
    const name = `replica-${made.length + 1}`;
    const dataFolder = join(folder, name);
    mkdirSync(dataFolder);
    const environment = { DATABASE_URL: database.url, TOLLGATE_MASTER_KEY: masterKey };
    const replica = new Replica({ name, port: await freePort(), configFile, dataFolder, environment });
    made.push(replica);
    return replica;
  };
  const replicas = [await make(), await make(), await make()];
  await Promise.all(replicas.map((replica) => replica.start()));
  const balancer = await startBalancer({ ports: replicas.map(({ port }) => port), checkMs: 100 });
  place.onEnd(() => balancer.close());
  await balancer.whenReady(3);
  const answer = await fetch(`${balancer.url}/key/generate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ max_budget: 1_000 }),
  });
  const { key } = (await answer.json()) as { key: string };
  return { balancer, replicas, key, make };
}

interface Client {
  readonly balancer: Balancer;
  readonly key: string;
  readonly seen: Seen;
  readonly number: number;
  readonly isSlow: boolean;
  readonly isShort: boolean;
}

async function client({ balancer, key, seen, number, isSlow, isShort }: Client, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = 0; !isOver(); turn++) {
    const stream = isSlow || (number + turn) % 2 === 0;
    const slowEvents = isShort ? 1 + ((number + turn * 7) % 15) : 1 + ((number * 37 + turn * 53) % slowEventsMax);
    const startedAt = performance.now();
    try {
      const { status, text } = await post(`${balancer.url}/v1/chat/completions`, agent, key, {
        model: isSlow ? 'slow' : 'fast',
        max_tokens: isSlow ? slowEvents : 20,
        stream,
        messages: [{ role: 'user', content: 'Go on' }],
      });
      const isWhole = stream
        ? text.endsWith('data: [DONE]\n\n') && !text.includes('"error"')
        : text.includes('"usage"');
      if (status === 200 && isWhole) seen.answered += 1;
      else seen.failures.push(`${status} ${text.slice(-300)}`);
      if (stream) seen.streams += 1;
      if (stream) seen.longestMs = Math.max(seen.longestMs, performance.now() - startedAt);
    } catch (error) {
      seen.failures.push(String(error));
    }
    if (!isSlow && !isShort) await pause(100);
  }
  agent.destroy();
}

/** One request on a kept connection, without a second try. Resolves to the whole answer. */
function post(url: string, agent: Agent, key: string, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const outgoing = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
