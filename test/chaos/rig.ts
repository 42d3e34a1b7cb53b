import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { makeDatabase, type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import type { Script } from '../fake-provider/script.ts';
import { type SpawnedFakeProvider, spawnFakeProvider } from '../fake-provider/spawn.ts';
import { price } from './price.ts';
import { Replica } from './replica.ts';
import { until } from './row.ts';
import { prepareStoreTime, type StoreTime } from './store-time.ts';

/** What every provider of the rig does unless a row says otherwise: long enough that `max_tokens` cuts every answer. */
export const usualScript: Script = { text: 'word '.repeat(120), delayBeforeHeadersMs: 5, eventsPerWrite: 8 };

/** The replicas' clocks disagree, in every row: it must not matter. */
const clockOffsetsMs = [0, 600_000, -600_000] as const;

export interface Rig {
  readonly replicas: readonly Replica[];
  readonly upstream: SpawnedFakeProvider;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** Where the provider wrote down what it was asked and what it will bill. */
  readonly invoiceFile: string;
  /**
   * Keys made by rotation → the key whose account they go on in. A key in the middle of a chain of rotations is no longer
   * in the store when the audit asks.
   */
  readonly accountOfKey: Map<string, string>;
  /** A direct way to the database, past every fault; so is `query`. */
  readonly databaseUrl: string;
  query<Result extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Result[]>;
  /** The database's clock, which is the one that counts. */
  readonly storeTime: StoreTime;
  /** That of every replica at first. */
  readonly config: string;
  /** Where budgets' days begin, for every replica; noticed without a restart. */
  setTimezone(timezone: string): void;
  /** A new number for names and ids. */
  next(): number;
  /** Ends every fault, starts what is down, and waits until nothing is held any more. False when that takes too long. */
  calm(limitMs?: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Everything of a production set-up as processes of this machine: PostgreSQL, Redis, replicas, and a provider that keeps an invoice. */
export async function startRig(replicaCount = 3): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-chaos-'));
  const closers: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    closers.push(
      () => postgres.close(),
      () => redis.close(),
    );
    const database = await makeDatabase(postgres.url);
    const invoiceFile = join(folder, 'invoice.jsonl');
    const upstream = await spawnFakeProvider({ invoice: invoiceFile, script: JSON.stringify(usualScript) });
    closers.push(() => upstream.close());

    const pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on('error', () => {});
    closers.push(() => pool.end());
    const query = async <Result extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Result>(text, values)).rows;
    const storeTime = await prepareStoreTime(query, database.url);

    const replicas: Replica[] = [];
    for (let number = 0; number < replicaCount; number++) {
      const own = join(folder, `replica-${number}`);
      mkdirSync(own);
      const replica = await Replica.prepare({
        folder: own,
        config: configOf(upstream.url),
        databaseUrl: database.url,
        redisUrl: redis.url,
        clockOffsetMs: clockOffsetsMs[number % clockOffsetsMs.length]!,
      });
      replicas.push(replica);
      closers.push(() => replica.close());
    }
    await Promise.all(replicas.map((replica) => replica.start()));
    // First of all when it ends: whatever else does not end in time, no gateway outlives the rig.
    closers.push(() => Promise.all(replicas.map((replica) => replica.kill())));

    let numbers = 0;
    return {
      replicas,
      upstream,
      postgres,
      redis,
      invoiceFile,
      accountOfKey: new Map(),
      databaseUrl: database.url,
      query,
      storeTime,
      config: configOf(upstream.url),
      setTimezone: (timezone) => {
        for (const replica of replicas) replica.setConfig(configOf(upstream.url, timezone));
      },
      next: () => {
        numbers += 1;
        return numbers;
      },
      async calm(limitMs = 15_000) {
        postgres.resume();
        redis.resume();
        await Promise.all([postgres.start(), redis.start()]);
        await upstream.setDefault(usualScript);
        for (const replica of replicas) await replica.heal();
        await Promise.all(replicas.filter(({ isUp }) => !isUp).map((replica) => replica.start()));
        return until(() => isQuiet(query), limitMs);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Twice in a row the same number of rows, and nothing held. */
async function isQuiet(query: Rig['query']): Promise<boolean> {
  const look = async () => {
    const [row] = await query<{ rows: number; held: number }>(
      `select (select count(*)::int from usage) as rows, (select coalesce(sum(leased), 0)::float from accounts) as held`,
    );
    return row!;
  };
  try {
    const before = await look();
    if (before.held > 0) return false;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = await look();
    return after.held === 0 && after.rows === before.rows;
  } catch {
    return false;
  }
}

function configOf(upstreamUrl: string, timezone = 'UTC'): string {
  const entry = (name: string, provider: string, input: number) => `
  - model_name: ${name}
    litellm_params:
      model: ${provider}/${name}
      api_base: "${upstreamUrl}/v1"
      api_key: none
      input_cost_per_token: ${input / 1e9}
      output_cost_per_token: ${price.outputNanodollars / 1e9}`;
  return `
model_list:
${entry(price.model, 'openai', price.inputNanodollars)}
${entry(price.exactModel, 'openai', 0)}
${entry(price.holdModel, 'together_ai', price.inputNanodollars)}
${entry(price.messagesModel, 'anthropic', price.inputNanodollars)}
router_settings:
  num_retries: 0
  disable_cooldowns: true
  redis_url: os.environ/REDIS_URL
general_settings:
  database_url: os.environ/DATABASE_URL
  hangup_charge: { openai: seen, anthropic: seen, together_ai: hold }
litellm_settings:
  timezone: ${timezone}
`;
}
