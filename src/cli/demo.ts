import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type AdminClient, type AdminRequestError, adminClient } from '../adapters/admin-client.ts';
import { systemEnvironment } from '../config/environment.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import { startGateway } from '../main.ts';
import { version } from './version.ts';

/** `tollgate demo`: the whole story in half a minute, on a gateway of its own that is gone afterwards. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('see a request, a failover, a spent budget and the records of it, on a throw-away gateway')
    .option('--json', 'print one JSON object a step, for programs')
    .action(async ({ json }: { json?: boolean }) => {
      const folder = mkdtempSync(join(tmpdir(), 'tollgate-demo-'));
      const gateway = await startGateway({
        workers: 1,
        configFile: null,
        host: '127.0.0.1',
        port: 0,
        dataFolder: folder,
        logLevel: 'error',
        version,
        environment: { ...systemEnvironment(), CONFIG_FILE_PATH: undefined },
        onReport: () => {},
      });
      try {
        const client = adminClient(gateway.address, gateway.masterKey.key);
        const show = (step: string, figures: JsonObject) =>
          console.log(json ? JSON.stringify({ step, ...figures }) : `${step}\n${lines(figures)}\n`);
        await tell(client, gateway.address, show, {
          down: () => gateway.demo?.down('llama-4-scout'),
          up: () => gateway.demo?.up('llama-4-scout'),
        });
      } finally {
        await gateway.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
}

type Show = (step: string, figures: JsonObject) => void;

async function tell(
  client: AdminClient,
  address: string,
  show: Show,
  model: { down(): void; up(): void },
): Promise<void> {
  const ask = (content: string, more: JsonObject = {}) =>
    client.post('/v1/chat/completions', { model: 'llama-4-scout', messages: [{ role: 'user', content }], ...more });

  show('1. A request to the self-hosted model', answered(await ask('Hello')));
  model.down();
  show('2. The self-hosted model goes down; the same request', answered(await ask('Hello again')));
  model.up();

  const key = await client.post('/key/generate', { key_alias: 'demo', max_budget: 0.00005, models: ['gpt-4o-mini'] });
  show('3. A virtual key with a budget of $0.00005', { key: key.key_name, budget: key.max_budget });
  const holder = adminClient(address, new Secret(text(key.key)));
  const spend = (tokens: number) =>
    holder
      .post('/v1/chat/completions', {
        model: 'gpt-4o-mini',
        max_tokens: tokens,
        messages: [{ role: 'user', content: 'Go' }],
      })
      .then(answered, (cause: AdminRequestError) => ({ refused: cause.status, because: cause.message }));
  show('4. It asks for up to 4,000 tokens: that could cost more than is left', await spend(4_000));
  show('5. It asks for up to 20 tokens: that fits', await spend(20));
  const rows = await client.get('/spend/logs');
  const list = Array.isArray(rows.value) ? rows.value : [];
  show('6. What was recorded', {
    requests: list.length,
    rows: list
      .filter(isJsonObject)
      .map((row) => `${text(row.status)}: ${text(row.model)}, ${text(row.total_tokens)} tokens, $${text(row.spend)}`),
  });
}

function answered(answer: JsonObject): JsonObject {
  const [choice] = Array.isArray(answer.choices) ? answer.choices : [];
  const message = isJsonObject(choice) && isJsonObject(choice.message) ? choice.message : {};
  const usage = isJsonObject(answer.usage) ? answer.usage : {};
  return { 'answered by': answer.model, tokens: usage.total_tokens, text: text(message.content).slice(0, 160) };
}

function lines(figures: JsonObject): string {
  return Object.entries(figures)
    .map(
      ([name, value]) =>
        `   ${name}: ${Array.isArray(value) ? value.map((item) => `\n      ${text(item)}`).join('') : text(value)}`,
    )
    .join('\n');
}

function text(value: Json | undefined): string {
  return value === null || value === undefined ? '–' : String(value);
}
