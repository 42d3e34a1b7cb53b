import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Diagnostic } from './diagnostic.ts';
import type { Origins } from './origin.ts';
import { parseYamlTree, type Tree } from './yaml-tree.ts';

export type ReadText = (path: string) => string;

const reasons: Partial<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this process may not read the file',
  EISDIR: 'this is a folder',
};

const fileBytesMax = 16 * 1024 * 1024;

export interface FileTree {
  readonly tree: Tree | undefined;
  /** Absolute paths of all files read or wanted, the first one included: what a watcher has to watch. */
  readonly files: readonly string[];
  readonly diagnostics: Diagnostic[];
}

/**
 * A configuration file with what it includes. Paths in `include` are relative to the including file; lists are put one
 * after the other (the including file's first), maps are merged, and where both give a value the including file wins.
 */
export function readFileTree(file: string, origins: Origins, readText: ReadText = readUtf8): FileTree {
  const files: string[] = [];
  const diagnostics: Diagnostic[] = [];
  const named = dirname(resolve(file));

  const read = (path: string, shown: string, open: readonly string[]): Tree | undefined => {
    files.push(path);
    let text: string;
    try {
      text = readText(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      const reason = reasons[code] ?? (error as Error).message;
      diagnostics.push({ severity: 'error', file: shown, line: 0, column: 0, path: '', message: reason });
      return undefined;
    }
    const parsed = parseYamlTree(text, shown, origins);
    diagnostics.push(...parsed.diagnostics);
    if (parsed.tree === undefined) return undefined;
    const tree = parsed.tree;
    if (!Object.hasOwn(tree, 'include')) return tree;
    const included = includedNames(tree.include);
    const position = origins.locate(tree, ['include'], 'value') ?? { file: shown, line: 0, column: 0 };
    delete tree.include;
    if (included === undefined) {
      diagnostics.push({
        severity: 'error',
        ...position,
        path: 'include',
        message: 'wrong type',
        expected: 'a file name or a list of file names',
      });
      return tree;
    }
    for (const name of included) {
      const target = resolve(dirname(path), name);
      if (open.includes(target) || target === path) {
        const message = `${name} includes itself (${[...open, path, target].map((step) => relative(named, step)).join(' → ')})`;
        diagnostics.push({ severity: 'error', ...position, path: 'include', message });
        continue;
      }
      const child = read(target, relative(named, target), [...open, path]);
      if (child === undefined) {
        diagnostics.push({ severity: 'error', ...position, path: 'include', message: `cannot use ${name}` });
      } else {
        mergeInto(tree, child, origins, 0);
      }
    }
    return tree;
  };

  return { tree: read(resolve(file), file, []), files, diagnostics };
}

function includedNames(value: unknown): string[] | undefined {
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  return undefined;
}

function mergeInto(parent: Tree, child: Tree, origins: Origins, depth: number): void {
  for (const [key, value] of Object.entries(child)) {
    if (!Object.hasOwn(parent, key) || parent[key] === null) {
      parent[key] = value;
      origins.copyEntry(child, key, parent, key);
      continue;
    }
    const own = parent[key];
    if (depth === 0 && Array.isArray(own) && Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        own.push(item);
        origins.copyEntry(value, index, own, own.length - 1);
      }
    } else if (isMap(own) && isMap(value)) {
      mergeInto(own, value, origins, depth + 1);
    }
  }
}

export function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readUtf8(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.byteLength > fileBytesMax) throw new Error(`the file is larger than ${fileBytesMax / 1024 / 1024} MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('the file is not UTF-8 text');
  }
}
