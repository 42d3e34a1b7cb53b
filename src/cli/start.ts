import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import { ConfigError, type Diagnostic, renderDiagnostic, renderDiagnostics } from '../config/diagnostic.ts';
import { systemEnvironment } from '../config/environment.ts';
import { configFileFromEnvironment } from '../config/start-settings.ts';
import { type RunningGateway, startGateway } from '../main.ts';
import { connect } from './connection.ts';
import { version } from './version.ts';
import { obeyPrimary, superviseWorkers, tellReady } from './workers.ts';

interface StartWords {
  readonly config?: string;
  readonly model?: string;
  readonly alias?: string;
  readonly api_base?: string;
  readonly health?: boolean;
  readonly port?: number;
  readonly host: string;
  readonly dataFolder?: string;
  readonly json?: boolean;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly workers?: number;
  readonly num_workers?: number;
  readonly debug?: boolean;
  readonly detailed_debug?: boolean;
}

/** Flags of other gateways' command lines that mean nothing here; accepted so that a container's command can stay. */
const foreignFlags = [
  '--run_gunicorn',
  '--run_hypercorn',
  '--use_queue',
  '--use_prisma_db_push',
  '--skip_server_startup',
];
const foreignOptions = ['--max_requests_before_restart', '--telemetry', '--keepalive_timeout'];

/** `tollgate start`: run the gateway until it is told to stop. */
export function startCommand(): Command {
  const command = new Command('start')
    .description('run the gateway; without --config it serves a built-in demo with two simulated models')
    .option('-c, --config <file>', 'configuration (LiteLLM format); CONFIG_FILE_PATH does the same')
    .option('--model <model>', 'serve this model alone (provider/model), without a configuration')
    .option('--alias <name>', 'what callers call it (default: as it is written)')
    .option('--api_base <address>', 'where it is')
    .option('--health', 'start nothing: ask a gateway on this machine how its models are, as JSON')
    .option('-p, --port <number>', 'port to listen on (default: 4000, or PORT)', portNumber)
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option(
      '--data-folder <folder>',
      'where the embedded database, the journal and the master key live (default: ./data)',
    )
    .option('--workers <number>', 'processes that share the port; each takes a share of the work', workerCount)
    .option('--num_workers <number>', 'the same as --workers', workerCount)
    .option('--log-level <level>', 'debug, info, warn, error or silent', level)
    .option('--debug', 'the same as --log-level debug')
    .option('--detailed_debug', 'the same as --log-level debug')
    .option('--json', 'print one line of JSON when ready, for programs')
    .action(run);
  for (const flag of foreignFlags) command.option(flag, 'accepted, has no meaning here');
  for (const option of foreignOptions) command.option(`${option} <value>`, 'accepted, has no meaning here');
  return command;
}

export function isStartOption(word: string): boolean {
  return !['-h', '--help', '-V', '--version'].includes(word);
}

async function run(words: StartWords): Promise<void> {
  if (words.health) return tellHealth(words);
  const workers = words.workers ?? words.num_workers ?? 1;
  if (workers > 1 && cluster.isPrimary) process.exit(await superviseWorkers(workers, systemClock()));
  // Before there is anything to reload, a hangup means nothing; unheard it would end the program.
  let gateway: RunningGateway | undefined;
  process.on('SIGHUP', () => {
    if (cluster.isPrimary) gateway?.reload();
  });
  const environment = systemEnvironment();
  const asWords = words.config === undefined && words.model !== undefined ? configOfWords(words) : undefined;
  const configFile = asWords === undefined ? (words.config ?? configFileFromEnvironment(environment)) : 'command line';
  gateway = await startGateway({
    configFile,
    ...(asWords !== undefined && { configText: asWords }),
    host: words.host,
    port: words.port ?? null,
    dataFolder: words.dataFolder ?? null,
    logLevel: words.logLevel ?? (words.debug || words.detailed_debug ? 'debug' : null),
    version,
    workers,
    environment,
    onReport: (diagnostics, isRefused) => report(diagnostics, isRefused, words.json ?? false),
  }).catch((cause: unknown) => {
    if (!(cause instanceof ConfigError)) throw cause;
    for (const diagnostic of cause.diagnostics) console.error(renderDiagnostic(diagnostic));
    throw new Error(`${configFile} is not valid; nothing was started. \`tollgate check-config\` shows the same.`);
  });
  // Before anybody is told that it runs: who reads that may stop it at once.
  stopOnSignals(gateway);
  if (cluster.isWorker) {
    if (cluster.worker?.id === 1 && !gateway.hasRedis) {
      console.error(
        `no Redis is configured: each of the ${workers} workers applies its share of every rate limit and keeps its own cached answers; with REDIS_URL they share them`,
      );
    }
    tellReady(announcement(gateway, configFile, words.json ?? false));
  } else console.log(announcement(gateway, configFile, words.json ?? false));
  // Not only at the end, which may be a sudden one.
  flushCompileCache();
}

/** One model, as the words of the command name it. */
function configOfWords({ model, alias, api_base: address }: StartWords): string {
  const params = { model, ...(address !== undefined && { api_base: address }) };
  return JSON.stringify({ model_list: [{ model_name: alias ?? model, litellm_params: params }] });
}

async function tellHealth({ port, dataFolder = 'data' }: StartWords): Promise<void> {
  const environment = systemEnvironment();
  const client = connect({ url: `http://127.0.0.1:${port ?? (environment.PORT || 4000)}`, dataFolder });
  console.log(JSON.stringify(await client.get('/health'), null, 2));
}

/** Errors and warnings one by one; what is not active yet in one line, with the full list under `check-config`. */
function report(diagnostics: readonly Diagnostic[], isRefused: boolean, json: boolean): void {
  const notices = diagnostics.filter(({ severity }) => severity === 'notice');
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity !== 'notice') console.error(renderDiagnostic(diagnostic));
  }
  for (const line of renderDiagnostics(notices)) console.error(line);
  if (isRefused) console.error('the new configuration is refused; the old one stays in force');
  else if (!json && diagnostics.some(({ severity }) => severity === 'skipped')) {
    console.error('deployments were left out, see above');
  }
}

function announcement(gateway: RunningGateway, configFile: string | null, json: boolean): string {
  const { address, replica, masterKey, dataFolder, isDemo } = gateway;
  if (json) {
    const source = { kind: masterKey.source.kind, place: masterKey.source.place };
    return JSON.stringify({
      event: 'listening',
      address,
      replica,
      masterKey: source,
      dataFolder,
      configFile,
      demo: isDemo,
    });
  }
  const [model] = gateway.snapshot().groups.keys();
  const key = keyInShell(gateway);
  const where = {
    generated: `new, in ${masterKey.source.place}`,
    file: `in ${masterKey.source.place}`,
    environment: `from ${masterKey.source.place}`,
    config: `from ${masterKey.source.place} of ${configFile}`,
  }[masterKey.source.kind];
  return [
    `Tollgate ${version} listens on ${address}`,
    `  serving     ${isDemo ? 'the built-in demo (two simulated models); --config FILE serves yours' : configFile}`,
    `  data        ${dataFolder}`,
    `  master key  ${where}`,
    '',
    'Try it:',
    `  curl -N ${address}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${JSON.stringify(
      { model: model ?? 'MODEL', stream: true, messages: [{ role: 'user', content: 'Hello' }] },
    )}'`,
  ].join('\n');
}

/** How a shell gets at the key without it being printed. */
function keyInShell({ masterKey }: RunningGateway): string {
  const { kind, place } = masterKey.source;
  if (kind === 'environment') return `$${place}`;
  return kind === 'config' ? '$MASTER_KEY' : `$(cat ${place})`;
}

function stopOnSignals(gateway: RunningGateway): void {
  let isStopping = false;
  const stop = () => {
    // A second signal means now.
    if (isStopping && cluster.isPrimary) process.exit(130);
    if (isStopping) return;
    isStopping = true;
    gateway.close().then(
      () => process.exit(0),
      (cause: Error) => {
        console.error(`tollgate: ${cause.message}`);
        process.exit(1);
      },
    );
  };
  if (cluster.isWorker) {
    obeyPrimary(stop, () => gateway.reload());
    return;
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Started by an older Node in front of this one: end with it.
  if (process.connected) process.on('disconnect', stop);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('expected 0 to 65535');
  return port;
}

function workerCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 256) throw new InvalidArgumentError('expected 1 to 256');
  return count;
}

function level(text: string): string {
  if (['debug', 'info', 'warn', 'error', 'silent'].includes(text)) return text;
  throw new InvalidArgumentError('expected debug, info, warn, error or silent');
}
