import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { startGateway } from './gateway.ts';

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
];

export function canStart(target: Target): boolean {
  return target.name !== 'gateway' || existsSync(`${root}bin/tollgate.mjs`);
}
