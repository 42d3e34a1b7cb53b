import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startBalancer } from '../../../scripts/cluster/balancer.ts';
import { Replica } from '../../../scripts/cluster/replica.ts';
import { freePort } from '../../../scripts/servers/child.ts';
import { makeDatabase, startPostgres } from '../../../scripts/servers/postgres.ts';
import { pause, type Size } from '../../chaos/row.ts';
import { streamModels, wholeModel } from '../restart-lengths.ts';
import type { LoadSeen, LoadSpec } from '../restart-load.ts';
import { inPlace, type Place, type WireRow } from '../row.ts';

const masterKey = 'sk-master-key-of-the-restarts-0123456789';
const restartsFull = Number(process.env.TOLLGATE_RESTARTS ?? 100);
/** A checkout of another version, over the same tables. */
const otherVersion = process.env.TOLLGATE_OTHER_VERSION;
/** 20 changes in 100 restarts; each goes through all three replicas. */
const restartsPerVersion = 5;

interface Pace {
  readonly perSecond: number;
  readonly streamMaxMs: number;
  /** Between the starts of two restarts, if the machine is fast enough. */
  readonly restartEveryMs: number;
}
const paces: Readonly<Record<Size, Pace>> = {
  short: { perSecond: 30, streamMaxMs: 1_500, restartEveryMs: 0 },
  full: { perSecond: 200, streamMaxMs: 20_000, restartEveryMs: 10_000 },
};
/** A generator that is slower shows less than the promise says. */
const rateKeptMin = 0.95;

/** Promise 19: replicas behind a balancer that honours readiness are restarted one after the other; clients keep their connections and never repeat a request. */
export const rollingRestartRow: WireRow = {
  row: 19,
  promise: 'Rolling restart loses nothing',
  target: 'failed 0, truncated 0 of 200,000 requests at 200 a second over 100 restarts, streams of 0.1 to 20 s',
  kind: 'wire',
  run: (size) =>
    inPlace(async (place) => {
      const { perSecond, streamMaxMs, restartEveryMs } = paces[size];
      const restarts = size === 'short' ? 3 : restartsFull;
      const { balancer, replicas, key, make } = await setUp(place);
      const requestsMin = (restarts * restartEveryMs * perSecond) / 1_000;
      const load = startLoad(place, { url: balancer.url, key, perSecond, requestsMin, streamMinMs: 100, streamMaxMs });
      const ends: Promise<number | null>[] = [];
      const startedAt = performance.now();
      let versionChanges = 0;
      for (let restart = 0; restart < restarts; restart++) {
        await pause(Math.max(0, startedAt + restart * restartEveryMs - performance.now()));
        const at = restart % replicas.length;
        const replica = replicas[at]!;
        if (size === 'short') {
          // In place: on its folder and port, while two are left.
          ends.push(replica.stop());
          await ends.at(-1);
          await replica.start();
        } else {
          // As an orchestrator does it: another one takes over, and this one has the time that its streams take.
          const isOther = otherVersion !== undefined && Math.floor(restart / restartsPerVersion) % 2 === 0;
          if (otherVersion !== undefined && restart % restartsPerVersion === 0) versionChanges += 1;
          const next = await make(isOther ? resolve(otherVersion, 'src/cli.ts') : undefined);
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
      const restartSeconds = (performance.now() - startedAt) / 1_000;
      const seen = await load.end();
      const codes = await Promise.all(ends);
      const rate = seen.requests / seen.seconds;
      const unclean = codes.filter((code) => code !== 0).length;
      const broken = [...seen.failures];
      if (balancer.failed() > 0) broken.push(`the balancer counts ${balancer.failed()} failures`);
      if (unclean > 0) broken.push(`${unclean} replicas did not end in order`);
      if (rate < perSecond * rateKeptMin) broken.push(`nothing was shown: ${Math.round(rate)} requests a second`);
      return {
        figures: {
          restarts,
          ...(size === 'short' ? {} : { 'of them to another version': versionChanges }),
          'seconds of restarts': Math.round(restartSeconds),
          requests: seen.requests,
          'requests a second': rate.toFixed(1),
          'latest behind its time (ms)': Math.round(seen.behindMs),
          streams: seen.streams,
          'streams at once, at most': seen.streamsAtOnceMax,
          'pieces a second': Math.round(seen.pieces / seen.seconds),
          'shortest stream (ms)': Math.round(seen.shortestStreamMs),
          'longest stream (ms)': Math.round(seen.longestStreamMs),
          'p99 of answers in one piece (ms)': Math.round(seen.wholeP99Ms),
          'kept connections': seen.connections,
          'failed or truncated': seen.failed,
          'ended out of order': unclean,
        },
        broken,
      };
    }),
};

/** Threads of their own make the load and answer it: this one has the balancer. */
function threadIn(place: Place, file: string, workerData?: unknown): { next: Promise<unknown>; worker: Worker } {
  const worker = new Worker(new URL(`../${file}`, import.meta.url), { workerData });
  place.onEnd(() => worker.terminate());
  const { promise: next, resolve: came, reject } = Promise.withResolvers<unknown>();
  next.catch(() => {});
  worker.once('message', came);
  worker.once('error', reject);
  return { next, worker };
}

function startLoad(place: Place, spec: LoadSpec): { end(): Promise<LoadSeen> } {
  const { next, worker } = threadIn(place, 'restart-load.ts', spec);
  return {
    async end() {
      worker.postMessage('over');
      return (await next) as LoadSeen;
    },
  };
}

async function setUp(place: Place) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-rolling-'));
  place.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const providerUrl = await threadIn(place, 'restart-provider.ts').next;
  const postgres = await startPostgres();
  place.onEnd(() => postgres.close());
  const database = await makeDatabase(postgres.url);
  const configFile = join(folder, 'config.yaml');
  const entry = (name: string) =>
    `  - { model_name: ${name}, litellm_params: { model: openai/${name}, api_base: "${providerUrl}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.000001 } }`;
  writeFileSync(configFile, `model_list:\n${[wholeModel, ...streamModels].map(entry).join('\n')}\n`);
  const made: Replica[] = [];
  place.onEnd(() => Promise.all(made.map((replica) => replica.stop())));
  const make = async (program?: string) => {
    const name = `replica-${made.length + 1}`;
    const dataFolder = join(folder, name);
    mkdirSync(dataFolder);
    const environment = { DATABASE_URL: database.url, TOLLGATE_MASTER_KEY: masterKey };
    const replica = new Replica({ name, port: await freePort(), configFile, dataFolder, environment, program });
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
