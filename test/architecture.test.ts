import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providerDirectory } from '../src/providers/index.ts';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');

/** Room → rooms it may import from (itself always). A room is a folder, or a file, directly below src/. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  gateway: ['core'],
  dialects: ['core'],
  providers: ['core'],
  demo: ['core'],
  adapters: ['core'],
  config: ['core'],
  admin: ['config', 'core'],
  compat: ['admin', 'config', 'core'],
  http: ['gateway', 'admin', 'compat', 'core'],
  'main.ts': ['*'],
  'cli.ts': ['*'],
  cli: ['*'],
};

/** Only these files may put a station's brand on an exchange. */
const stationFiles: Readonly<Record<string, string>> = {
  asReceived: 'gateway/receive.ts',
  asIdentified: 'gateway/authenticate.ts',
  asRecalled: 'gateway/kept/recall.ts',
  asPlanned: 'gateway/plan.ts',
  asAdmitted: 'gateway/admit.ts',
  asAnswered: 'gateway/call.ts',
  asSettled: 'gateway/settle.ts',
};

const forbiddenFileNames = /^(utils?|helpers?|common|misc|manager|service|handler)\b/;
const outsideWorld =
  /\b(Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|setTimeout\(|setInterval\(|setImmediate\(|(?<![.\w])fetch\()/;

/** Provider ids that name something else as well: this program, and a place that records are sent to. */
const otherMeanings: ReadonlySet<string> = new Set(['tollgate', 'helicone']);

/** Files over 500 lines, each with its reason. */
const allowedLong: Readonly<Record<string, string>> = {};
const lineCountMax = 500;

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly code: string;
  readonly isTest: boolean;
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && statSync(join(source, path)).isFile())
  .map((path) => {
    const text = readFileSync(join(source, path), 'utf8');
    return {
      path: path.split(sep).join('/'),
      room: path.split(sep)[0] ?? '',
      text,
      code: withoutComments(text),
      isTest: path.endsWith('.test.ts') || path.includes('fixtures'),
    };
  });
const product = files.filter((file) => !file.isTest);

describe('architecture', () => {
  it('sees the whole source tree', () => {
    expect(product.length).toBeGreaterThan(50);
    expect(product.map((file) => file.room).filter((room) => !(room in mayImport))).toEqual([]);
  });

  it('keeps the import rules', () => {
    const wrong = product.flatMap((file) =>
      importsOf(file).flatMap((target) => {
        const inside = relative(source, resolve(source, dirname(file.path), target))
          .split(sep)
          .join('/');
        if (inside.startsWith('..')) return [`${file.path} imports ${target}, outside src/`];
        const room = inside.split('/')[0] ?? '';
        const allowed = mayImport[file.room] ?? [];
        return room === file.room || allowed.includes('*') || allowed.includes(room)
          ? []
          : [`${file.path} may not import ${inside}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('lets only a station put on its own brand', () => {
    const wrong = product
      .filter((file) => file.path !== 'core/exchange.ts')
      .flatMap((file) =>
        Object.entries(stationFiles)
          .filter(([brand, home]) => file.path !== home && new RegExp(`\\b${brand}\\b`).test(file.code))
          .map(([brand]) => `${file.path} uses ${brand}`),
      );
    expect(wrong).toEqual([]);
  });

  it('names no provider outside its own folder and the list', () => {
    const ids = providerDirectory.ids.filter((id) => id.length > 3 && !otherMeanings.has(id));
    const pattern = new RegExp(`['"\`](${ids.join('|')})(/|['"\`])`);
    const free = ['providers/', 'demo/', 'compat/', 'config/', 'dialects/'];
    const wrong = product
      .filter((file) => !free.some((prefix) => file.path.startsWith(prefix)))
      .flatMap((file) => {
        const found = pattern.exec(file.code);
        return found === null ? [] : [`${file.path} names ${found[1]}`];
      });
    expect(wrong).toEqual([]);
  });

  it('reads the environment only in the configuration, and time, chance and network only in adapters', () => {
    const wrong = product.flatMap((file) => {
      const found: string[] = [];
      if (/\bprocess\.env\b/.test(file.code) && file.room !== 'config') found.push(`${file.path} reads process.env`);
      const match = outsideWorld.exec(file.code);
      if (match !== null && file.room !== 'adapters') found.push(`${file.path} uses ${match[0]}`);
      if (/\b(eval\(|new Function\(|node:vm['"])/.test(file.code)) found.push(`${file.path} evaluates code`);
      return found;
    });
    expect(wrong).toEqual([]);
  });

  it('has no room for odds and ends', () => {
    expect(files.filter((file) => forbiddenFileNames.test(basename(file.path))).map((file) => file.path)).toEqual([]);
  });

  it('keeps copies among formats and providers below 8 % of their lines', () => {
    const texts = product.filter(({ room }) => room === 'dialects' || room === 'providers').map(meaningfulLines);
    const homes = new Map<string, Set<number>>();
    const runsOf = (lines: readonly string[]) =>
      lines
        .slice(0, Math.max(0, lines.length - runLength + 1))
        .map((_, at) => lines.slice(at, at + runLength).join('\n'));
    for (const [index, lines] of texts.entries()) {
      for (const run of runsOf(lines)) homes.set(run, (homes.get(run) ?? new Set()).add(index));
    }
    let copied = 0;
    for (const lines of texts) {
      const marked = new Set<number>();
      for (const [at, run] of runsOf(lines).entries()) {
        if (homes.get(run)!.size > 1) for (let line = at; line < at + runLength; line++) marked.add(line);
      }
      copied += marked.size;
    }
    const all = texts.reduce((sum, lines) => sum + lines.length, 0);
    expect(copied / all).toBeLessThan(0.08);
  });

  it('keeps files small', () => {
    const counts = product.map((file) => [file.path, file.text.split('\n').length] as const);
    const long = counts.filter(([path, count]) => count > lineCountMax && !(path in allowedLong));
    expect(long).toEqual([]);
    const sorted = counts.map(([, count]) => count).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThanOrEqual(300);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(160);
  });
});

/** So many lines in a row that stand in another file are a copy; fewer are the language. */
const runLength = 4;

/** Without imports, comments and lines of punctuation alone. */
function meaningfulLines({ code }: SourceFile): string[] {
  return code
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /\w/.test(line) && !/^(import |\} from )/.test(line));
}

function importsOf(file: SourceFile): string[] {
  return [...file.code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g)].map((match) => match[1] ?? '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}
