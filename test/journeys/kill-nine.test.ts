import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInvoice } from '../fake-provider/invoice.ts';
import { type SpawnedFakeProvider, spawnFakeProvider } from '../fake-provider/spawn.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/*
 * The gateway dies again and again under load, in the middle of whatever it is doing, and starts again on the same
 * folder. The provider's own invoice says what was really sent. TOLLGATE_KILLS=100 for the long run.
 */
const killsWanted = Number(process.env.TOLLGATE_KILLS ?? 8);
const clients = 12;
const nanodollarsPerOutputToken = 1_000;
const outputTokensMax = 40;

let folder: string;
let invoiceFile: string;
let upstream: SpawnedFakeProvider;
let config: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-kill-'));
  invoiceFile = join(folder, 'invoice.jsonl');
  upstream = await spawnFakeProvider({
    invoice: invoiceFile,
    script: JSON.stringify({ delayBeforeHeadersMs: 5, delayBetweenEventsMs: 2 }),
  });
  config = selling(upstream.url, nanodollarsPerOutputToken / 1e9);
});

afterAll(async () => {
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

it(
  'charges every dispatch exactly once and leaves no hold, however often it is killed',
  async () => {
    let gateway = await startGateway({ config, folder });
    const key = await makeKey(gateway);
    const dead: string[] = [];
    for (let kill = 0; kill < killsWanted; kill++) {
      const load = startLoad(gateway, key, kill);
      await pause(100 + Math.random() * 500);
      await gateway.kill();
      await load;
      dead.push(...journalsIn(folder));
      gateway = await startGateway({ config, folder });
      for (const journal of journalsIn(folder)) expect(dead, 'a dead journal was replayed').not.toContain(journal);
      checkBooks(folder, invoiceFile);
    }
    const answer = await ask(gateway, key, 'the-last', false);
    expect(answer.status).toBe(200);
    await answer.text();
    expect(await gateway.stop()).toBe(0);

    const { unknown, records, leases } = checkBooks(folder, invoiceFile);
    expect(leases, 'leases after an orderly end').toBe(0);
    expect(journalsIn(folder), 'journals after an orderly end').toEqual([]);
    expect(records).toBeGreaterThan(killsWanted * clients);
    // Each kill met requests under way; otherwise this test would show nothing.
    expect(unknown).toBeGreaterThan(killsWanted);
  },
  20_000 + killsWanted * 10_000,
);

/** Every dispatch on the invoice has its record, records and balances agree. */
function checkBooks(inFolder: string, invoice: string): { records: number; unknown: number; leases: number } {
  const database = new DatabaseSync(join(inFolder, 'data', 'tollgate.db'), { readOnly: true });
  try {
    const rows = database.prepare('select id, status, cost, key_id from usage').all() as {
      id: string;
      status: string;
      cost: number;
      key_id: string;
    }[];
    // The gateway's own id is the caller's with something unique behind it.
    const records = new Map(rows.map((row) => [row.id.split('.')[0], row]));
    expect(records.size, 'one record for each request').toBe(rows.length);
    for (const { reference, state, outcome, usage } of readInvoice(invoice)) {
      const record = records.get(reference ?? '');
      expect(record, `a record of ${reference}`).toBeDefined();
      const billed = (usage.outputTokens + usage.reasoningTokens) * nanodollarsPerOutputToken;
      expect(record!.cost).toBeGreaterThanOrEqual(billed);
      if (record!.status === 'success' && state === 'billed' && outcome === 'complete')
        expect(record!.cost).toBe(billed);
      if (record!.status === 'unknown') expect(record!.cost).toBe(outputTokensMax * nanodollarsPerOutputToken);
    }
    const byKey = new Map<string, number>();
    for (const { key_id, cost } of rows) byKey.set(key_id, (byKey.get(key_id) ?? 0) + cost);
    const accounts = database.prepare("select id, spent, leased from accounts where scope = 'key'").all() as {
      id: string;
      spent: number;
      leased: number;
    }[];
    for (const { id, spent } of accounts) expect(spent, `spent of key ${id}`).toBe(byKey.get(id) ?? 0);
    const leases = database.prepare('select coalesce(sum(amount), 0) as amount from leases').get() as {
      amount: number;
    };
    const leased = database.prepare('select coalesce(sum(leased), 0) as amount from accounts').get() as {
      amount: number;
    };
    expect(leased.amount).toBe(leases.amount);
    return {
      records: rows.length,
      unknown: rows.filter(({ status }) => status === 'unknown').length,
      leases: leases.amount,
    };
  } finally {
    database.close();
  }
}

async function makeKey(gateway: GatewayProcess): Promise<string> {
  const answer = await gateway.post('/key/generate', { max_budget: 1_000, budget_duration: '30d' });
  return ((await answer.json()) as { key: string }).key;
}

/** Clients that ask one request after the other, half of them streams, until the gateway is gone. */
async function startLoad(gateway: GatewayProcess, key: string, round: number): Promise<void> {
  const client = async (number: number) => {
    for (let turn = 0; ; turn++) {
      try {
        const answer = await ask(gateway, key, `${round}-${number}-${turn}`, (number + turn) % 2 === 0);
        await answer.text();
      } catch {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
}

function ask(gateway: GatewayProcess, key: string, id: string, stream: boolean): Promise<Response> {
  const content = `Tell me more. [[ref:${id}]]`;
  const body = { model: 'm', max_tokens: outputTokensMax, stream, messages: [{ role: 'user', content }] };
  return gateway.post('/v1/chat/completions', body, key, { 'x-litellm-call-id': id });
}

function journalsIn(inFolder: string): string[] {
  return readdirSync(join(inFolder, 'data', 'journal'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
