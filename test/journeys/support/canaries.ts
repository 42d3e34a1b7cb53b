import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What looks like a credential in a configuration, an environment or an answer; long enough to be nothing else. */
const credential = /\b(?:sk|pk|gsk|xai)-[A-Za-z0-9_-]{12,}|[A-Za-z0-9_-]*canary[A-Za-z0-9_-]*/g;
const lengthMin = 12;

/**
 * Every credential that a journey plants, watched over: when its gateway ends, none of them may stand in what it wrote to
 * its log, its output, or any file of its data folder (database, journal), in clear, hex or base64.
 */
export class Canaries {
  readonly #planted = new Set<string>();

  constructor(texts: readonly string[]) {
    for (const text of texts) this.plant(text);
  }

  plant(text: string): void {
    for (const [found] of text.matchAll(credential)) if (found.length >= lengthMin) this.#planted.add(found);
  }

  /** The answer to the making of a key: nobody but its reader may ever see it again. */
  plantKey(answer: string): void {
    for (const [, key] of answer.matchAll(/"key":"(sk-[^"]+)"/g)) this.#planted.add(key!);
  }

  /** Throws an error that names place and canary, the latter cut. */
  expectNone(texts: Readonly<Record<string, string>>, folder: string): void {
    const places = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)] as const);
    const disguises = [...this.#planted].map((canary) => [canary, writtenAs(canary)] as const);
    for (const [name, bytes] of [...places, ...filesIn(folder)]) {
      for (const [canary, forms] of disguises) {
        if (forms.some((form) => bytes.includes(form))) {
          throw new Error(`a credential that begins with ${canary.slice(0, 12)} stands in ${name}`);
        }
      }
    }
  }
}

/** In clear, in hex, and in base64 wherever it begins in what was encoded. */
function writtenAs(canary: string): string[] {
  const bytes = Buffer.from(canary);
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // What shares a digit with its neighbours may look otherwise.
    return text.slice(before === 0 ? 0 : 4, -4);
  });
  return [canary, bytes.toString('hex'), ...base64];
}

function* filesIn(folder: string): Generator<readonly [string, Buffer]> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    // Where a master key that was made stays, readable by its owner alone.
    if (/master[-_]?key/i.test(name)) continue;
    const path = join(folder, name);
    const bytes = bytesOf(path);
    if (bytes !== null) yield [name, bytes];
  }
}

/** null for what is no file, or was removed just now: two gateways may share a folder. */
function bytesOf(path: string): Buffer | null {
  try {
    return statSync(path).isFile() ? readFileSync(path) : null;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
}
