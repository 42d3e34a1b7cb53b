import { openPostgresStore } from '../../src/adapters/sql/postgres.ts';
import { usageColumns } from '../../src/adapters/sql/usage-row.ts';
import { accountKey } from '../../src/core/books.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { noUsage } from '../../src/core/usage.ts';
import { type Figures, lowerQuartile } from './figures.ts';
import type { Ground } from './ground.ts';

const section = 'rows';
const batchSize = 200;
const keyCount = 1_000;

/** What writing and finding requests costs when few and many are on record: each size stands in a month of its own. */
export async function measureRows(ground: Ground, figures: Figures, sizes: readonly number[], turns: number) {
  const store = await openPostgresStore({ url: ground.postgres.url });
  try {
    for (const [index, size] of sizes.entries()) {
      const start = Date.UTC(2031, index, 1);
      await fill(ground, store, size, start);
      await measure(store, figures, size, start, turns);
    }
  } finally {
    await store.close();
  }
}

type Store = Awaited<ReturnType<typeof openPostgresStore>>;

async function measure(store: Store, figures: Figures, size: number, start: number, turns: number): Promise<void> {
  const { usage, books } = store;
  const time = async (work: (turn: number) => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const startedAt = performance.now();
      await work(turn);
      times.push(performance.now() - startedAt);
    }
    return lowerQuartile(times);
  };
  const batch = (turn: number) =>
    books.apply({
      processId: 'scale',
      entries: Array.from({ length: batchSize }, (_, at) => {
        const record = recordOf(`new-${size}-${turn}-${at}`, `key-${(turn * batchSize + at) % keyCount}`, start + at);
        const account = {
          scope: 'key',
          id: record.keyId!,
          model: '',
          duration: '',
          windowStart: 0,
          cap: null,
        } as const;
        const key = accountKey('key', account.id, '', '');
        return { record, accounts: [{ ...account, key, delta: record.cost, leaseReturn: 0 }] };
      }),
    });
  figures.add(section, size, 'writing a request', (await time(batch)) / batchSize, 'ms, in batches of 200');
  const idOf = (turn: number) => `s-${size}-${Math.floor((turn / turns) * size)}`;
  figures.add(section, size, 'one request by its id', await time((turn) => usage.get(idOf(turn))), 'ms');
  const month = { from: start, to: Date.UTC(2031, new Date(start).getUTCMonth() + 1, 1) };
  const page = { offset: 0, limit: 50, descending: true } as const;
  figures.add(section, size, 'the last 50 of all', await time(() => usage.list(month, page)), 'ms');
  const ofKey = (turn: number) => usage.list({ ...month, keyId: `key-${turn % keyCount}` }, page);
  figures.add(section, size, 'the last 50 of a key', await time(ofKey), 'ms');
}

function recordOf(id: string, keyId: string, startedAt: number): RequestRecord {
  return {
    id,
    operation: 'chat',
    dialect: 'openai-chat',
    path: '/v1/chat/completions',
    status: 'success',
    httpStatus: 200,
    errorCode: null,
    errorMessage: null,
    keyId,
    keyAlias: null,
    userId: null,
    teamId: 'team-1',
    organizationId: null,
    endUserId: null,
    tags: [],
    sessionId: null,
    traceId: null,
    clientAddress: null,
    modelAsked: 'model-a',
    modelGroup: 'model-a',
    deploymentId: 'deployment-1',
    provider: 'acme',
    modelUsed: 'model-a-1',
    apiBase: null,
    stream: false,
    cacheHit: false,
    cacheKey: null,
    usage: { ...noUsage, inputTokens: 60, outputTokens: 90 },
    cost: 63_000,
    bound: 90_000,
    priceSource: 'config',
    startedAt,
    firstTokenAt: null,
    endedAt: startedAt + 900,
    overheadMs: 0.5,
    attempts: [],
    finishReason: 'stop',
    metadata: {},
    requestText: null,
    responseText: null,
  };
}

/**
 * Copies of one request over the first days of a month. A large month is filled beside the others and gets its indexes when it
 * is attached, as a backup that is read back does; anything else would take most of an hour.
 */
async function fill({ client }: Ground, store: Store, size: number, start: number): Promise<void> {
  const template = `template-${size}`;
  await store.books.apply({
    processId: 'scale',
    entries: [{ record: recordOf(template, 'key-0', start), accounts: [] }],
  });
  const isLarge = size > 100_000;
  const name = `usage_${new Date(start).toISOString().slice(0, 7).replace('-', '_')}`;
  const end = Date.UTC(2031, new Date(start).getUTCMonth() + 1, 1);
  const stepMs = Math.floor((20 * 86_400_000) / size);
  const own: Record<string, string> = {
    id: `'s-${size}-' || n`,
    started_at: `${start} + n * ${stepMs}::bigint`,
    ended_at: `${start} + n * ${stepMs}::bigint + 900`,
    key_id: `'key-' || n % ${keyCount}`,
  };
  const values = usageColumns.map((column) => own[column] ?? `t.${column}`).join(', ');
  const into = isLarge ? `${name}_filled` : name;
  if (isLarge) await client.query(`create table ${into} (like usage including defaults)`);
  await client.query(
    `insert into ${into} (${usageColumns.join(', ')}) select ${values} from usage as t, generate_series(0, ${size - 1}) as n where t.id = '${template}'`,
  );
  if (isLarge) {
    await client.query(`insert into ${into} select * from ${name}`);
    await client.query(`drop table ${name}`);
    await client.query(`alter table ${into} rename to ${name}`);
    await client.query(`alter table usage attach partition ${name} for values from (${start}) to (${end})`);
    await client.query('alter table usage_ids drop constraint usage_ids_pkey');
  }
  await client.query(`insert into usage_ids (id, started_at) select id, started_at from ${name} where id like 's-%'`);
  if (isLarge) await client.query('alter table usage_ids add primary key (id)');
  await client.query(`vacuum analyze usage_ids, ${name}`);
}
