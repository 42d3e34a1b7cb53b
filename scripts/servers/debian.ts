import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where servers that had to be fetched are kept between runs. */
export const cacheFolder = resolve(import.meta.dirname, '../../node_modules/.cache/test-servers');

const isRoot = process.getuid?.() === 0;
const fetchLimitMs = 240_000;

export interface Run {
  readonly ok: boolean;
  readonly text: string;
}

export function run(
  program: string,
  words: readonly string[],
  options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Run {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    encoding: 'utf8',
    timeout: fetchLimitMs,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...options.environment },
  });
  return { ok: status === 0, text: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

/** Installs a package when root. Returns why it did not work, or null. */
export function installPackage(name: string): string | null {
  if (!isRoot) return 'not root, so nothing can be installed';
  if (!run('apt-get', ['--version']).ok) return 'there is no apt-get';
  run('apt-get', ['update']);
  const { ok, text } = run('apt-get', ['install', '-y', '--no-install-recommends', name]);
  return ok ? null : lastLine(text);
}

/**
 * Downloads a package and all it needs that is not installed, and unpacks them into the cache. Needs no rights.
 * Returns the folder, or why it did not work.
 */
export function unpackPackage(name: string): { readonly folder: string } | { readonly reason: string } {
  const folder = join(cacheFolder, name);
  if (existsSync(folder)) return { folder };
  if (!run('apt-get', ['--version']).ok || !run('dpkg', ['--version']).ok) return { reason: 'there is no apt-get' };
  const plan = run('apt-get', ['install', '--simulate', '--no-install-recommends', name]);
  const needed = [...plan.text.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!);
  if (!plan.ok || needed.length === 0) return { reason: lastLine(plan.text) };
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    const download = run('apt-get', ['download', ...needed], { cwd: making });
    if (!download.ok) return { reason: lastLine(download.text) };
    for (const file of readdirSync(making).filter((entry) => entry.endsWith('.deb'))) {
      const unpacked = run('dpkg', ['-x', join(making, file), making]);
      if (!unpacked.ok) return { reason: lastLine(unpacked.text) };
      rmSync(join(making, file));
    }
    if (!existsSync(folder)) renameSync(making, folder);
    return { folder };
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** For programs from an unpacked package: where their libraries are. */
export function libraryPath(folder: string): string {
  const roots = ['usr/lib', 'lib'].map((part) => join(folder, part)).filter((part) => existsSync(part));
  const found = roots.flatMap((root) => [
    root,
    ...readdirSync(root)
      .filter((entry) => entry.endsWith('-linux-gnu'))
      .map((entry) => join(root, entry)),
  ]);
  return found.join(':');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
