import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { compileCache } from '../../../scripts/servers/compile-cache.ts';
import { Canaries } from './canaries.ts';

const root = resolve(import.meta.dirname, '../../..');

export const masterKey = 'sk-master-key-of-the-journeys-0123456789';

export interface GatewayOptions {
  /** The configuration's text; none starts the built-in demo. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Kept between starts when given; else made and removed. */
  readonly folder?: string;
  readonly args?: readonly string[];
  /** Told of the process before it is ready: who kills it then hears nothing of it otherwise. */
  readonly onSpawn?: (child: ChildProcess) => void;
  /** Begun as `npm start` begins it, with its settings of memory; else the program itself, which is up sooner. */
  readonly asShipped?: boolean;
}

export interface GatewayProcess {
  readonly url: string;
  readonly folder: string;
  readonly child: ChildProcess;
  /** Everything the program wrote to standard error so far. */
  log(): string;
  /** What it printed when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  post(path: string, body: unknown, key?: string, headers?: Record<string, string>): Promise<Response>;
  get(path: string, key?: string): Promise<Response>;
  /** A virtual key with these limits. */
  makeKey(body?: object): Promise<string>;
  /** Orderly end; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** The end that leaves no time for anything. */
  kill(): Promise<void>;
}

/** Starts the program as a user would: its own process, its own data folder, nothing of this process's environment but PATH. */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'tollgate-journey-'));
  const words = ['start', '--json', '--port', String(options.port ?? 0), '--data-folder', join(folder, 'data')];
  if (options.config !== undefined) {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, options.config);
    words.push('--config', file);
  }
  const entry = options.asShipped ? 'bin/tollgate.mjs' : 'src/cli.ts';
  const child = spawn(process.execPath, [join(root, entry), ...words, ...(options.args ?? [])], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', TOLLGATE_MASTER_KEY: masterKey, ...compileCache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onSpawn?.(child);
  const canaries = new Canaries([masterKey, options.config ?? '', ...Object.entries(options.env ?? {}).flat()]);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const ready = await firstLine(child, ended, () => log);
  const url = String(ready.address);
  const remove = () => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };

  const gateway: GatewayProcess = {
    url,
    folder,
    child,
    ready,
    log: () => log,
    async makeKey(body = {}) {
      const answer = await gateway.post('/key/generate', body);
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`no key was made: ${text}`);
      return (JSON.parse(text) as { key: string }).key;
    },
    async post(path, body, key = masterKey, headers = {}) {
      const answer = await fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      if (/^\/key\/(generate|.*regenerate)/.test(path)) canaries.plantKey(await answer.clone().text());
      return answer;
    },
    get: (path, key = masterKey) => fetch(url + path, { headers: { authorization: `Bearer ${key}` } }),
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      canaries.expectNone({ log, printed }, join(folder, 'data'));
      remove();
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
      canaries.expectNone({ log, printed }, join(folder, 'data'));
      remove();
    },
  };
  return gateway;
}

async function firstLine(
  child: ChildProcess,
  ended: Promise<number | null>,
  log: () => string,
): Promise<Record<string, unknown>> {
  const lines = createInterface({ input: child.stdout! });
  const line = await Promise.race([
    new Promise<string>((done) => lines.once('line', done)),
    ended.then((code) => {
      throw new Error(`the gateway ended with code ${code} before it was ready:\n${log()}`);
    }),
  ]);
  return JSON.parse(line) as Record<string, unknown>;
}
