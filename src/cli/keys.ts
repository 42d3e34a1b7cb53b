import { Command, InvalidArgumentError } from 'commander';
import type { Json, JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { table } from '../core/text-table.ts';
import { type ConnectionOptions, connect, withConnection } from './connection.ts';

interface CreateOptions extends ConnectionOptions {
  readonly alias?: string;
  readonly models?: readonly string[];
  readonly maxBudget?: number;
  readonly budgetDuration?: string;
  readonly rpm?: number;
  readonly tpm?: number;
  readonly parallel?: number;
  readonly team?: string;
  readonly user?: string;
  readonly duration?: string;
}

/** `tollgate keys …`: virtual keys of a running gateway. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('make, list and end virtual keys of a running gateway');

  withConnection(keys.command('create'))
    .description('make a virtual key; it is shown once')
    .option('--alias <name>', 'name for people, records and metrics')
    .option('--models <names...>', 'models the key may use (default: all its team may use)')
    .option('--max-budget <dollars>', 'hard budget', amount)
    .option('--budget-duration <window>', 'when the budget starts anew: 1d, 7d, 30d, monthly …')
    .option('--rpm <count>', 'requests per minute', wholeNumber)
    .option('--tpm <count>', 'tokens per minute', wholeNumber)
    .option('--parallel <count>', 'requests at once', wholeNumber)
    .option('--team <id>', 'team the key belongs to')
    .option('--user <id>', 'user the key belongs to')
    .option('--duration <time>', 'lifetime of the key: 30d, 12h …')
    .action(async (options: CreateOptions) => {
      const answer = await connect(options).post('/key/generate', creationBody(options));
      if (options.json) print(answer);
      else
        console.log(
          `${text(answer.key)}\n\nKept as ${text(answer.key_name)} (id ${text(answer.token)}). It is not shown again.`,
        );
    });

  withConnection(keys.command('list'))
    .description('list virtual keys with what they spent')
    .option('--page <number>', 'page of 100 keys', wholeNumber, 1)
    .action(async (options: ConnectionOptions & { page: number }) => {
      const answer = await connect(options).get('/key/list', {
        return_full_object: 'true',
        page: String(options.page),
        size: '100',
      });
      if (options.json) print(answer);
      else console.log(keyTable(answer));
    });

  withConnection(keys.command('show <key>'))
    .description('show one key, by the key itself or its id')
    .action(async (key: string, options: ConnectionOptions) => {
      print(await connect(options).get('/key/info', { key }));
    });

  for (const [name, path, explanation] of [
    ['block', '/key/block', 'refuse a key until it is unblocked'],
    ['unblock', '/key/unblock', 'let a blocked key work again'],
  ] as const) {
    withConnection(keys.command(`${name} <key>`))
      .description(explanation)
      .action(async (key: string, options: ConnectionOptions) => {
        const answer = await connect(options).post(path, { key });
        if (options.json) print(answer);
        else console.log(`${name}ed`);
      });
  }

  withConnection(keys.command('delete <keys...>'))
    .description('end keys at once')
    .action(async (names: string[], options: ConnectionOptions) => {
      const answer = await connect(options).post('/key/delete', { keys: names });
      if (options.json) print(answer);
      else console.log(`deleted ${names.length}`);
    });

  return keys;
}

function creationBody(options: CreateOptions): JsonObject {
  return {
    key_alias: options.alias,
    models: options.models as string[] | undefined,
    max_budget: options.maxBudget,
    budget_duration: options.budgetDuration,
    rpm_limit: options.rpm,
    tpm_limit: options.tpm,
    max_parallel_requests: options.parallel,
    team_id: options.team,
    user_id: options.user,
    duration: options.duration,
  };
}

function keyTable(answer: JsonObject): string {
  const rows = (Array.isArray(answer.keys) ? answer.keys : [])
    .filter(isJsonObject)
    .map((key) => [
      text(key.key_name),
      text(key.key_alias),
      text(key.team_id),
      text(key.spend),
      text(key.max_budget),
      text(key.budget_reset_at),
      Array.isArray(key.models) && key.models.length > 0 ? key.models.join(', ') : 'all',
    ]);
  if (rows.length === 0) return 'No keys yet: `tollgate keys create --alias my-app` makes one.';
  return table(['key', 'alias', 'team', 'spent $', 'budget $', 'resets', 'models'], rows);
}

function text(value: Json | undefined): string {
  return value === null || value === undefined ? '–' : String(value);
}

function print(value: JsonObject): void {
  console.log(JSON.stringify(value, null, 2));
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('expected a whole number');
  return Number(value);
}

function amount(value: string): number {
  const dollars = Number(value);
  if (value.trim() === '' || !Number.isFinite(dollars) || dollars < 0) {
    throw new InvalidArgumentError('expected dollars, such as 500 or 0.25');
  }
  return dollars;
}
