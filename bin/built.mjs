import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Two folders deep, as the sources are, so that what finds package.json by its own place finds it from here too. */
export const builtFolder = join('dist', 'node');

/** What decides how a build comes out. */
const sources = ['src', 'package-lock.json', join('scripts', 'build.mjs')];

/**
 * The built program, if there is one and no source beside it is newer; otherwise null: sources then run as they are.
 *
 * @param {string} root the folder of package.json
 * @returns {string | null}
 */
export function builtEntry(root) {
  const entry = join(root, builtFolder, 'cli.js');
  if (!existsSync(entry)) return null;
  const builtAt = statSync(entry).mtimeMs;
  return sources.some((source) => isNewer(join(root, source), builtAt)) ? null : entry;
}

function isNewer(path, thenMs) {
  if (!existsSync(path)) return false;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs > thenMs;
  const within = readdirSync(path, { recursive: true, withFileTypes: true });
  return within.some((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).mtimeMs > thenMs);
}
