import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic } from './diagnostic.ts';
import type { Origins, Position } from './origin.ts';

export type Tree = Record<string, unknown>;

/** An alias may repeat what an anchor holds; this bounds how large the result can grow ("billion laughs"). */
const nodeCountMax = 200_000;

const plainMessages: Partial<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab is used as indentation',
  BAD_INDENT: 'wrong indentation',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map starts where a value was expected (a missing line break or quote?)',
  MISSING_CHAR: 'a character is missing (a quote, a bracket or a colon)',
  MULTILINE_IMPLICIT_KEY: 'a key goes over more than one line (a missing colon?)',
};

const expectations: Partial<Record<string, string>> = {
  TAB_AS_INDENT: 'spaces',
};

/**
 * Reads YAML (1.2, with merge keys) into plain maps, lists and scalars and notes where each was written. Returns undefined
 * for the tree when the text is not a YAML map; what is wrong then stands in the diagnostics.
 */
export function parseYamlTree(
  text: string,
  file: string,
  origins: Origins,
): { tree: Tree | undefined; diagnostics: Diagnostic[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const positionAt = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const diagnostics: Diagnostic[] = [];
  const report = (offset: number, message: string, expected?: string) => {
    diagnostics.push({ severity: 'error', ...positionAt(offset), path: '', message, ...(expected && { expected }) });
  };
  for (const problem of document.errors) {
    report(problem.pos[0], plainMessages[problem.code] ?? problem.message, expectations[problem.code]);
  }
  if (diagnostics.length > 0) return { tree: undefined, diagnostics };

  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    report(0, 'the file is empty', 'a map of settings, e.g. model_list');
    return { tree: undefined, diagnostics };
  }
  if (!isMap(root)) {
    const found = isSeq(root) ? 'a list' : 'a single value';
    report(root.range?.[0] ?? 0, `the file holds ${found}`, 'a map of settings, e.g. model_list');
    return { tree: undefined, diagnostics };
  }
  const warn = (offset: number, message: string) =>
    diagnostics.push({ severity: 'warning', ...positionAt(offset), path: '', message });
  const conversion = new Conversion(document, positionAt, origins, warn);
  try {
    return { tree: conversion.convert(root) as Tree, diagnostics };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    report(error.offset, error.message);
    return { tree: undefined, diagnostics };
  }
}

/** Numbers may have their digits in groups (`20_000`), as in the YAML that LiteLLM reads. */
function scalarOf({ value, type }: Scalar): unknown {
  if (typeof value === 'bigint') return Number(value);
  const isGrouped = typeof value === 'string' && type === 'PLAIN' && /^[-+]?\d+(_\d+)+(\.\d+)?$/.test(value);
  return isGrouped ? Number(value.replaceAll('_', '')) : value;
}

class ConversionError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

class Conversion {
  readonly #document: Document;
  readonly #positionAt: (offset: number) => Position;
  readonly #origins: Origins;
  readonly #warn: (offset: number, message: string) => void;
  readonly #open = new Set<Node>();
  #nodeCount = 0;

  constructor(
    document: Document,
    positionAt: (offset: number) => Position,
    origins: Origins,
    warn: (offset: number, message: string) => void,
  ) {
    this.#document = document;
    this.#positionAt = positionAt;
    this.#origins = origins;
    this.#warn = warn;
  }

  convert(node: Node | null): unknown {
    if (node === null) return null;
    const offset = node.range?.[0] ?? 0;
    if (++this.#nodeCount > nodeCountMax) throw new ConversionError('the aliases expand to too many values', offset);
    if (isScalar(node)) return scalarOf(node);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) throw new ConversionError(`no anchor is named ${node.source}`, offset);
      return this.convert(target);
    }
    if (this.#open.has(node)) throw new ConversionError('an alias contains itself', offset);
    this.#open.add(node);
    const converted = isMap(node) ? this.#convertMap(node) : isSeq(node) ? this.#convertList(node) : null;
    this.#open.delete(node);
    return converted;
  }

  #convertList(node: Node & { items: unknown[] }): unknown[] {
    const list: unknown[] = [];
    this.#origins.addContainer(list, this.#positionOf(node));
    for (const [index, item] of node.items.entries()) {
      list.push(this.convert(item as Node | null));
      const position = this.#positionOf((item as Node | null) ?? node);
      this.#origins.addEntry(list, index, position, position);
    }
    return list;
  }

  #convertMap(node: YAMLMap): Tree {
    const tree: Tree = {};
    this.#origins.addContainer(tree, this.#positionOf(node));
    const merged: unknown[] = [];
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      if (!isScalar(keyNode)) throw new ConversionError('a key is not plain text', keyNode?.range?.[0] ?? 0);
      const key = String(keyNode.value);
      // Assigning it would change the map's prototype instead of adding a key.
      if (key === '__proto__') throw new ConversionError('__proto__ cannot be a key', keyNode.range?.[0] ?? 0);
      const value = this.convert(pair.value as Node | null);
      if (key === '<<') {
        merged.push(...(Array.isArray(value) ? value : [value]));
        continue;
      }
      if (Object.hasOwn(tree, key)) {
        this.#warn(keyNode.range?.[0] ?? 0, `${key} stands twice in the same map: this one counts`);
      }
      tree[key] = value;
      const keyPosition = this.#positionOf(keyNode);
      const valueNode = pair.value as Node | null;
      const isWritten = valueNode !== null && !(isScalar(valueNode) && valueNode.value === null);
      this.#origins.addEntry(tree, key, keyPosition, isWritten ? this.#positionOf(valueNode) : keyPosition);
    }
    for (const source of merged) {
      if (typeof source !== 'object' || source === null) {
        throw new ConversionError('<< needs a map or a list of maps', node.range?.[0] ?? 0);
      }
      for (const [key, value] of Object.entries(source)) {
        if (Object.hasOwn(tree, key)) continue;
        tree[key] = value;
        this.#origins.copyEntry(source, key, tree, key);
      }
    }
    return tree;
  }

  #positionOf(node: Node): Position {
    return this.#positionAt(node.range?.[0] ?? 0);
  }
}
