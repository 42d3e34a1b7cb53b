import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { RequestRecord } from '../core/request-record.ts';

/**
 * Writes requests as lines of JSON, gzipped when the name ends with `.gz`. The file appears whole or not at all, is for its
 * owner only, and never takes the place of another one. Resolves to where it stands and how many lines it has.
 */
export async function writeRecordFile(
  wanted: string,
  pages: AsyncIterable<readonly RequestRecord[]>,
): Promise<{ file: string; count: number }> {
  mkdirSync(dirname(wanted), { recursive: true });
  let count = 0;
  async function* lines() {
    for await (const page of pages) {
      count += page.length;
      yield page.map((record) => `${JSON.stringify(record)}\n`).join('');
    }
  }
  const part = `${wanted}.part`;
  try {
    const out = createWriteStream(part, { mode: 0o600, flush: true });
    if (wanted.endsWith('.gz')) await pipeline(Readable.from(lines()), createGzip(), out);
    else await pipeline(Readable.from(lines()), out);
    const file = freeName(wanted);
    await rename(part, file);
    return { file: file, count };
  } catch (cause) {
    await rm(part, { force: true });
    throw cause;
  }
}

/** `requests.jsonl.gz`, then `requests-2.jsonl.gz` … */
function freeName(wanted: string): string {
  if (!existsSync(wanted)) return wanted;
  const [, stem, end] = /^(.*?)((?:\.[a-z]+){0,2})$/.exec(wanted) ?? [];
  for (let number = 2; ; number++) {
    const name = `${stem}-${number}${end}`;
    if (!existsSync(name)) return name;
  }
}
