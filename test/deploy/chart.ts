import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

type Values = Readonly<Record<string, unknown>>;

/*
 * Renders a Helm chart that keeps to: values, `include`, `if` / `if not`, `range $name, $value :=`, and pipes of quote,
 * default, toYaml, nindent, trunc, trimSuffix, sha256sum. Anything else is an error, so that the chart stays testable.
 */

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly words: string }
  | { readonly kind: 'block'; readonly words: string; readonly inner: Node[] };

export function renderChart(folder: string, changes: Values = {}): Map<string, unknown> {
  const chart = parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
  const values = merged(parse(readFileSync(join(folder, 'values.yaml'), 'utf8')) as Values, changes);
  const scope: Values = {
    Values: values,
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
    Release: { Name: 'gate', Service: 'Helm' },
  };
  const templates = join(folder, 'templates');
  const defined = new Map<string, Node[]>();
  for (const node of nodesOf(readFileSync(join(templates, '_names.tpl'), 'utf8'))) {
    if (node.kind === 'block') defined.set(/^define "(.+)"$/.exec(node.words)![1]!, node.inner);
  }
  const rendered = new Map<string, unknown>();
  for (const file of readdirSync(templates).filter((name) => name.endsWith('.yaml'))) {
    const text = print(nodesOf(readFileSync(join(templates, file), 'utf8')), scope, defined);
    if (text.trim() !== '') rendered.set(file, parse(text));
  }
  return rendered;
}

function merged(base: Values, changes: Values): Values {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const old = base[name];
    const both = [old, value].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
    result[name] = both ? merged(old as Values, value as Values) : value;
  }
  return result;
}

function nodesOf(text: string): Node[] {
  const root: Node[] = [];
  const stack: { inner: Node[] }[] = [{ inner: root }];
  let from = 0;
  for (const match of text.matchAll(/(\s*)\{\{(-?)\s*(.*?)\s*(-?)\}\}(\s*)/g)) {
    const [whole, before, trimLeft, words, trimRight, after] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const top = stack.at(-1)!;
    top.inner.push({ kind: 'text', text: text.slice(from, match.index) + (trimLeft === '' ? before : '') });
    from = match.index + whole.length - (trimRight === '' ? after.length : 0);
    if (/^(if|range|define) /.test(words)) {
      const block: Node = { kind: 'block', words, inner: [] };
      top.inner.push(block);
      stack.push(block);
    } else if (words === 'end') stack.pop();
    else top.inner.push({ kind: 'print', words });
  }
  root.push({ kind: 'text', text: text.slice(from) });
  if (stack.length !== 1) throw new Error('a block is not closed');
  return root;
}

function print(nodes: readonly Node[], scope: Values, defined: ReadonlyMap<string, Node[]>): string {
  const value = (words: string): unknown => {
    const [first = '', ...pipes] = words.split(/\s*\|\s*/);
    return pipes.reduce((given, pipe) => piped(given, pipe, atom), atom(first));
  };
  const atom = (words: string): unknown => {
    const quoted = /^"([^"]*)"$/.exec(words);
    if (quoted !== null) return quoted[1];
    if (/^-?\d+$/.test(words)) return Number(words);
    const include = /^include "(.+)" \.$/.exec(words);
    if (include !== null) return print(defined.get(include[1]!) ?? unknown(words), scope, defined).trim();
    if (words.startsWith('toYaml ')) return yaml(atom(words.slice(7)));
    if (words.startsWith('not ')) return !isTrue(atom(words.slice(4)));
    if (/^\$\w+$/.test(words)) return scope[words];
    if (!/^(\.\w+)+$/.test(words)) return unknown(words);
    return words
      .slice(1)
      .split('.')
      .reduce<unknown>((inside, name) => (inside as Values | null | undefined)?.[name], scope);
  };
  let out = '';
  for (const node of nodes) {
    if (node.kind === 'text') out += node.text;
    else if (node.kind === 'print') out += String(value(node.words) ?? '');
    else if (node.words.startsWith('if ')) {
      if (isTrue(value(node.words.slice(3)))) out += print(node.inner, scope, defined);
    } else {
      const [, name, item, list] = /^range (\$\w+), (\$\w+) := (\S+)$/.exec(node.words) ?? unknown(node.words);
      for (const [key, entry] of Object.entries(value(list!) as Values)) {
        out += print(node.inner, { ...scope, [name!]: key, [item!]: entry }, defined);
      }
    }
  }
  return out;
}

function piped(given: unknown, pipe: string, atom: (words: string) => unknown): unknown {
  const [name = '', argument = ''] = pipe.split(' ');
  switch (name) {
    case 'quote':
      return JSON.stringify(String(given));
    case 'default':
      return isTrue(given) ? given : atom(argument);
    case 'nindent':
      return `\n${String(given).replace(/^/gm, ' '.repeat(Number(argument)))}`;
    case 'trunc':
      return String(given).slice(0, Number(argument));
    case 'trimSuffix':
      return String(given).endsWith(String(atom(argument))) ? String(given).slice(0, -1) : given;
    case 'sha256sum':
      return createHash('sha256').update(String(given)).digest('hex');
    default:
      return unknown(pipe);
  }
}

function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function yaml(value: unknown): string {
  return stringify(value).trimEnd();
}

function unknown(words: string): never {
  throw new Error(`the chart uses {{ ${words} }}, which its test cannot render`);
}
