import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * Several gateways, each its own process with its own journal, over one PostgreSQL database; then two over one folder
 * with the embedded database. A cap holds over all of them together, and headroom that one of them holds unused is
 * found by the others.
 */
const unitDollars = 0.5;
const outputTokens = 10;

let upstream: FakeProvider;
let config: string;

beforeAll(async () => {
  // Long enough that every answer is cut at what was asked for.
  upstream = await startFakeProvider({ default: { text: 'word '.repeat(2_000) } });
  config = selling(upstream.url, unitDollars / outputTokens);
});

afterAll(async () => {
  await upstream?.close();
});

async function keyWithCap(gateway: GatewayProcess, units: number): Promise<string> {
  const answer = await gateway.post('/key/generate', { max_budget: units * unitDollars, budget_duration: '30d' });
  return ((await answer.json()) as { key: string }).key;
}

async function buy(gateway: GatewayProcess, key: string, units: number): Promise<number> {
  const answer = await gateway.post(
    '/v1/chat/completions',
    { model: 'm', max_tokens: outputTokens * units, messages: [{ role: 'user', content: 'Go on' }] },
    key,
  );
  await answer.text();
  return answer.status;
}

/** Clients on every replica buy one unit after the other until they are refused. Resolves to what each replica sold. */
async function buyOut(gateways: readonly GatewayProcess[], key: string, clientsEach: number): Promise<number[]> {
  return Promise.all(
    gateways.map(async (gateway) => {
      let sold = 0;
      const client = async () => {
        for (;;) {
          const status = await buy(gateway, key, 1);
          if (status !== 200) {
            expect(status).toBe(429);
            return;
          }
          sold += 1;
        }
      };
      await Promise.all(Array.from({ length: clientsEach }, client));
      return sold;
    }),
  );
}

/** Until every replica knows the new key. */
async function untilKnown(gateways: readonly GatewayProcess[], key: string): Promise<void> {
  for (const gateway of gateways) {
    expect((await gateway.get('/key/info', key)).status).toBe(200);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);

describe('three replicas over PostgreSQL', () => {
  let database: TestDatabase;
  let replicas: GatewayProcess[];

  beforeAll(async () => {
    database = await freshDatabase();
    replicas = await Promise.all(
      Array.from({ length: 3 }, () => startGateway({ config, env: { DATABASE_URL: database.url } })),
    );
  });

  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.stop()));
    await database?.drop();
  });

  it('work in the background of one of them is cancelled through another one', async () => {
    const ask = async (replica: GatewayProcess, method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' };
      const answer = await fetch(replica.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      return (await answer.json()) as { id: string; status: string };
    };
    const [first, second] = replicas as [GatewayProcess, GatewayProcess];
    upstream.enqueue({ text: 'Never.', stall: { at: 'before-headers' } });
    const { id } = await ask(first, 'POST', '/v1/responses', { model: 'm', input: 'For ever', background: true });
    await expect
      .poll(() => upstream.requests.some(({ path }) => path.endsWith('/responses')), { timeout: 5_000 })
      .toBe(true);
    const sent = upstream.requests.find(({ path }) => path.endsWith('/responses'))!;
    expect((await ask(second, 'POST', `/v1/responses/${id}/cancel`)).status).toBe('cancelled');
    await sent.ended;
    const status = async () => (await ask(second, 'GET', `/v1/responses/${id}`)).status;
    await expect.poll(status, { timeout: 5_000 }).toBe('cancelled');
  });

  async function books(): Promise<{ overspent: number; leases: number; unequal: number }> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query(`
        select (select count(*)::int from accounts where cap is not null and spent + leased > cap) as overspent,
               (select coalesce(sum(amount), 0)::float from leases) as leases,
               (select count(*)::int from accounts where scope = 'key' and spent <>
                 (select coalesce(sum(cost), 0) from usage where usage.key_id = accounts.id)) as unequal`);
      return rows[0];
    } finally {
      await client.end();
    }
  }

  it('sells a shared budget to the last unit and not one more', async () => {
    const key = await keyWithCap(replicas[0]!, 200);
    await untilKnown(replicas, key);
    const sold = await buyOut(replicas, key, 6);
    expect(sum(sold)).toBe(200);
    expect(Math.min(...sold), `per replica: ${sold}`).toBeGreaterThan(0);
  });

  it('admits at once on one replica what another holds unused', async () => {
    const waitsMs: number[] = [];
    for (let round = 0; round < 5; round++) {
      const key = await keyWithCap(replicas[0]!, 100);
      await untilKnown(replicas, key);
      // Each of the others takes a slice, more than it needs, and keeps on using it.
      for (const replica of replicas.slice(0, 2)) expect(await buy(replica, key, 1)).toBe(200);
      const startedAt = performance.now();
      const statuses = await Promise.all([
        buy(replicas[2]!, key, 90),
        ...replicas.slice(0, 2).map((replica) => buy(replica, key, 1)),
      ]);
      waitsMs.push(performance.now() - startedAt);
      expect(statuses).toEqual([200, 200, 200]);
    }
    // Well below the second that a heartbeat takes.
    expect(Math.max(...waitsMs), `waits: ${waitsMs.map(Math.round)} ms`).toBeLessThan(700);
  });

  it('leaves books that agree and no lease behind', async () => {
    const codes = await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
    expect(codes).toEqual([0, 0, 0]);
    expect(await books()).toEqual({ overspent: 0, leases: 0, unequal: 0 });
  });
});

describe('two gateways over one folder', () => {
  let first: GatewayProcess;
  let second: GatewayProcess | undefined;

  afterAll(async () => {
    await second?.stop();
    await first?.stop();
  });

  it('share the embedded database and its budgets, also when the second one comes later', async () => {
    first = await startGateway({ config });
    const key = await keyWithCap(first, 100);
    // Alone it takes half of what is there.
    expect(await buy(first, key, 1)).toBe(200);
    second = await startGateway({ config, folder: first.folder });
    expect(await buy(second, key, 90)).toBe(200);
    const sold = await buyOut([first, second], key, 4);
    expect(sum(sold)).toBe(9);
  });
});
