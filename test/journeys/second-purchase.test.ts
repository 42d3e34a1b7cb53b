import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { startGateway } from './support/gateway-process.ts';

/*
 * A try that may have been billed is followed by another one, and the gateway dies while that one is under way: the
 * journal must prove both purchases, each at its own deployment.
 */
const firstBound = 0.5;
const secondBound = 0.25;
const outputTokensMax = 100;
const nanodollars = (dollars: number) => Math.round(dollars * 1e9);

let folder: string;
let first: FakeProvider;
let second: FakeProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-second-'));
  [first, second] = await Promise.all([startFakeProvider(), startFakeProvider()]);
});

afterAll(async () => {
  await Promise.all([first?.close(), second?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['charge_bound', nanodollars(firstBound + secondBound), nanodollars(firstBound), nanodollars(secondBound)],
  ['charge_nothing', 0, undefined, undefined],
] as const)(
  'proves both purchases after kill -9 (%s)',
  async (policy, cost, atFirst, atSecond) => {
    const own = mkdtempSync(join(folder, 'run-'));
    first.setDefault({ reset: 'before-headers' });
    second.setDefault({ stall: { at: 'before-headers' } });
    const before = second.requests.length;
    let gateway = await startGateway({ config: config(policy), folder: own });
    const key = await gateway.makeKey({ max_budget: 10 });
    const asked = gateway
      .post(
        '/v1/chat/completions',
        { model: 'm', max_tokens: outputTokensMax, messages: [{ role: 'user', content: 'Hello' }] },
        key,
      )
      .catch(() => null);
    let early: Response | null = null;
    void asked.then((answer) => {
      early = answer;
    });
    while (second.requests.length === before && early === null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(early, 'an answer before its time').toBeNull();

    // The second provider has the request: by now the journal names both deployments and what each may cost.
    const noted = journalLines(own).at(-1) as { b: number; d: { attempts: { charged: number }[] }; a: unknown[][] };
    expect(noted.b).toBe(2 * nanodollars(firstBound));
    expect(noted.d.attempts.map(({ charged }) => charged)).toEqual([nanodollars(firstBound), nanodollars(secondBound)]);
    expect(noted.a.map(([account]) => String(account).split('|')[0])).toEqual(
      expect.arrayContaining(['key', 'deployment']),
    );

    await gateway.kill();
    await asked;
    gateway = await startGateway({ config: config(policy), folder: own });
    expect(await gateway.stop()).toBe(0);
    const database = new DatabaseSync(join(own, 'data', 'tollgate.db'), { readOnly: true });
    const rows = database.prepare("select status, cost from usage where status = 'unknown'").all();
    expect(rows).toEqual([{ status: 'unknown', cost }]);
    const spent = (id: string) =>
      (
        database.prepare("select spent, leased from accounts where scope = 'deployment' and id = ?").get(id) as
          | { spent: number; leased: number }
          | undefined
      )?.spent || undefined;
    expect([spent('one'), spent('two')]).toEqual([atFirst, atSecond]);
    const leased = database.prepare('select sum(leased) as leased from accounts').get();
    expect(leased).toEqual({ leased: 0 });
    database.close();
  },
  90_000,
);

function config(policy: string): string {
  const deployment = (id: string, upstream: FakeProvider, bound: number, order: number) => `
  - model_name: m
    litellm_params:
      model: openai/${id}
      api_base: "${upstream.url}/v1"
      api_key: none
      order: ${order}
      max_budget: 5
      input_cost_per_token: 0
      output_cost_per_token: ${bound / outputTokensMax}
    model_info: { id: ${id} }`;
  return `
model_list:${deployment('one', first, firstBound, 1)}${deployment('two', second, secondBound, 2)}
general_settings:
  unknown_outcome: ${policy}
router_settings:
  num_retries: 0
`;
}

function journalLines(inFolder: string): unknown[] {
  const journal = join(inFolder, 'data', 'journal');
  return readdirSync(journal, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(journal, name))
        .filter((file) => file.endsWith('.jsonl'))
        .map((file) => readFileSync(join(journal, name, file), 'utf8')),
    )
    .flatMap((text) => text.split('\n').filter(Boolean))
    .map((line) => JSON.parse(line));
}
