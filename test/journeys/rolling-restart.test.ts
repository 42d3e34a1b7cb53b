import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../../scripts/cluster/balancer.ts';
import { Replica } from '../../scripts/cluster/replica.ts';
import { freePort } from '../../scripts/servers/child.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';

/*
 * Three replicas behind a balancer that honours readiness are restarted one after the other under load. Clients keep their
 * connections and never repeat a request; none may see a failure or half a stream. TOLLGATE_RESTARTS=100 for the long run.
 */
const restartsWanted = Number(process.env.TOLLGATE_RESTARTS ?? 10);
const clients = 8;
const masterKey = 'sk-master-key-of-the-restarts-0123456789';

let folder: string;
let database: TestDatabase;
let upstream: FakeProvider;
let replicas: Replica[];
let balancer: Balancer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-rolling-'));
  upstream = await startFakeProvider({ default: { delayBeforeHeadersMs: 5, delayBetweenEventsMs: 8 } });
  const configFile = join(folder, 'config.yaml');
  writeFileSync(
    configFile,
    `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.000001 }
`,
  );
  database = await freshDatabase();
  replicas = [];
  for (let index = 0; index < 3; index++) {
    replicas.push(
      new Replica({
        name: `replica-${index + 1}`,
        port: await freePort(),
        configFile,
        dataFolder: join(folder, `data-${index}`),
        environment: { DATABASE_URL: database.url, TOLLGATE_MASTER_KEY: masterKey },
      }),
    );
  }
  await Promise.all(replicas.map((replica) => replica.start()));
  balancer = await startBalancer({ ports: replicas.map(({ port }) => port), checkMs: 100 });
  await balancer.whenReady(3);
});

afterAll(async () => {
  await Promise.all((replicas ?? []).map((replica) => replica.stop()));
  await balancer?.close();
  await upstream?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface Seen {
  answered: number;
  readonly failures: string[];
}

/** One request on a kept connection, without a second try. Resolves to the whole answer. */
function post(agent: Agent, key: string, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${balancer.url}/v1/chat/completions`,
      { method: 'POST', agent, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

async function client(number: number, key: string, seen: Seen, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = 0; !isOver(); turn++) {
    const stream = (number + turn) % 2 === 0;
    const body = { model: 'm', max_tokens: 20, stream, messages: [{ role: 'user', content: 'Go on' }] };
    try {
      const { status, text } = await post(agent, key, body);
      const whole = stream ? text.endsWith('data: [DONE]\n\n') && !text.includes('"error"') : text.includes('"usage"');
      if (status === 200 && whole) seen.answered += 1;
      else seen.failures.push(`${status} ${text.slice(-300)}`);
    } catch (error) {
      seen.failures.push(String(error));
    }
  }
  agent.destroy();
}

it(
  'loses no request and cuts no stream while replicas are restarted one after the other',
  async () => {
    const made = await fetch(`${balancer.url}/key/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ max_budget: 100 }),
    });
    const { key } = (await made.json()) as { key: string };
    const seen: Seen = { answered: 0, failures: [] };
    let isOver = false;
    const load = Array.from({ length: clients }, (_, number) => client(number, key, seen, () => isOver));
    const codes: (number | null)[] = [];
    for (let restart = 0; restart < restartsWanted; restart++) {
      const replica = replicas[restart % replicas.length]!;
      codes.push(await replica.stop());
      await replica.start();
      await balancer.whenReady(3);
    }
    isOver = true;
    await Promise.all(load);
    expect(seen.failures).toEqual([]);
    expect(balancer.failed()).toBe(0);
    expect(codes).toEqual(codes.map(() => 0));
    expect(seen.answered).toBeGreaterThan(restartsWanted * clients);
  },
  60_000 + restartsWanted * 15_000,
);
