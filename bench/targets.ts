import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { startGateway } from './gateway.ts';
import { nginxPath, startNginx } from './nginx.ts';

/** Something the load is sent to. */
export interface RunningTarget {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What was switched on while it was measured, for the record. */
  readonly features: readonly string[];
  stop(): Promise<void>;
}

export interface Target {
  readonly name: string;
  readonly about: string;
  /** Only in a wide run, unless it is asked for by name. */
  readonly wide?: boolean;
  start(upstreamPort: number): Promise<RunningTarget>;
}

const folder = fileURLToPath(new URL('.', import.meta.url));
export const root = fileURLToPath(new URL('..', import.meta.url));

async function announced(name: string, words: readonly string[]): Promise<RunningTarget> {
  const child = new Child(words);
  const port = await child.announcedPort();
  return { name, pid: child.pid, port, headers: {}, features: [], stop: () => child.stop() };
}

export function startUpstream(): Promise<RunningTarget> {
  return announced('upstream', [`${folder}upstream.ts`]);
}

/** Beside the bare upstream, which is always measured: every figure called "added" is the difference to it. */
export const targets: readonly Target[] = [
  {
    name: 'proxy',
    about: 'bare Node proxy: node:http and undici dispatch, no features',
    start: (upstreamPort) => announced('proxy', [`${folder}bare-proxy.ts`, String(upstreamPort)]),
  },
  {
    name: 'gateway',
    about: 'this gateway with everything on',
    start: (upstreamPort) => startGateway({ root, command: ['bin/tollgate.mjs', 'start'], upstreamPort }),
  },
  {
    name: 'workers',
    about: 'the same as two processes on one port',
    wide: true,
    start: (upstreamPort) => startGateway({ root, command: ['bin/tollgate.mjs', 'start'], upstreamPort, workers: 2 }),
  },
  {
    name: 'nginx',
    about: 'nginx as a plain proxy, one process, where it is installed',
    wide: true,
    start: startNginx,
  },
];

export function canStart(target: Target): boolean {
  return target.name !== 'nginx' || nginxPath() !== undefined;
}
