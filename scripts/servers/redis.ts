import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { installPackage, libraryPath, run, unpackPackage } from './debian.ts';
import { serverFolder } from './folder.ts';
import { type OwnServer, startOwn } from './server.ts';

export interface RedisServerOptions {
  readonly password?: string;
  /** Further settings, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

export type RedisServer = OwnServer;

interface RedisProgram {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

const majorMin = 7;
const startLimitMs = 20_000;
const names = ['redis-server', 'valkey-server'];

/** Starts a server on a free port that keeps everything in memory. It is gone when this program is. */
export async function startRedis({ password, settings }: RedisServerOptions = {}): Promise<RedisServer> {
  const found = findRedis();
  const folder = serverFolder('redis', undefined);
  return startOwn(folder, startLimitMs, (port) => {
    const all = {
      port: String(port),
      bind: '127.0.0.1',
      dir: folder,
      save: '',
      appendonly: 'no',
      daemonize: 'no',
      ...(password === undefined ? {} : { requirepass: password }),
      ...settings,
    };
    return {
      words: { ...found, words: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]) },
      url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
      answers: () => answers(port, password),
    };
  });
}

/** In order: the PATH, Debian's usual folders, Debian's packages. Throws an error that says how to provide one. */
export function findRedis(): RedisProgram {
  const tried: string[] = [];
  const inSystem = () => usable([...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin'], {});
  const found = inSystem();
  if (found !== null) return found;
  tried.push(`no Redis ${majorMin} (or Valkey) or newer on the PATH or in /usr/bin`);

  const installing = installPackage('redis-server');
  const installed = installing === null ? inSystem() : null;
  if (installed !== null) return installed;
  tried.push(`Debian's package: ${installing ?? 'installed, but too old'}`);

  const unpacked = unpackPackage('redis-server');
  if ('folder' in unpacked) {
    const environment = { LD_LIBRARY_PATH: libraryPath(unpacked.folder) };
    const program = usable([join(unpacked.folder, 'usr/bin')], environment);
    if (program !== null) return program;
  }
  tried.push(`Debian's package, unpacked: ${'reason' in unpacked ? unpacked.reason : 'not usable'}`);
  throw new Error(
    [
      'A Redis server is needed and none was found:',
      ...tried.map((line) => `  - ${line}`),
      'Provide one in any of these ways:',
      '  - for the tests: TEST_REDIS_URL=redis://:PASSWORD@HOST:6379',
      '  - apt-get install redis-server',
      '  - put redis-server or valkey-server, 7 or newer, on the PATH',
    ].join('\n'),
  );
}

function usable(folders: readonly string[], environment: Readonly<Record<string, string>>): RedisProgram | null {
  for (const folder of folders.filter((entry) => entry !== '')) {
    for (const name of names) {
      const program = join(folder, name);
      if (!existsSync(program)) continue;
      const { ok, text } = run(program, ['--version'], { environment });
      if (ok && Number(/v=(\d+)/.exec(text)?.[1] ?? 0) >= majorMin) return { program, environment };
    }
  }
  return null;
}

/** Speaks as much of the protocol as it takes to hear PONG. */
function answers(port: number, password: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy(new Error('Redis does not answer')));
    socket.on('error', reject);
    socket.on('connect', () => socket.write(`${password === undefined ? '' : `AUTH ${password}\r\n`}PING\r\n`));
    socket.on('data', (piece) => {
      if (!piece.toString().includes('PONG')) return;
      socket.destroy();
      resolve();
    });
  });
}
