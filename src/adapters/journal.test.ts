import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import type { JournalFolder } from './journal-folder.ts';
import { DiskJournalFolder } from './journal-folder.ts';
import { journalLines } from './journal-reader.ts';

let root: string;
let folder: DiskJournalFolder;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tollgate-journal-'));
  folder = new DiskJournalFolder(root);
});
afterEach(() => {
  for (const owner of folder.owners()) folder.release(owner);
  rmSync(root, { recursive: true, force: true });
});

const sizes = { segmentBytes: 500, unwrittenBytesMax: 2_000 };
const origin = { segment: 0, offset: 0 };
const read = (owner: string, from = origin) => [...journalLines(folder, owner, from)];

describe('a machine that went down', () => {
  it('is noticed by the journals that it left, and by no others', () => {
    const before = new DiskJournalFolder(root, 'first run');
    before.create('one');
    before.release('one');
    expect(new DiskJournalFolder(root, 'first run').isWhole('one')).toBe(true);
    expect(new DiskJournalFolder(root, 'second run').isWhole('one')).toBe(false);
    const untold = new DiskJournalFolder(root, null);
    untold.create('two');
    untold.release('two');
    expect(new DiskJournalFolder(root, 'second run').isWhole('two')).toBe(true);
  });
});

describe('Journal', () => {
  it('gives every line back, in order, over segments, from any line on', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 40 }), (texts) => {
        const journal = new Journal(folder, 'a', sizes);
        const lines = texts.map((text) => JSON.stringify(text));
        const ends = lines.map((line, at) => {
          const offset = journal.append(Buffer.from(line));
          const end = { segment: journal.segment, offset };
          if (at % 3 === 0) journal.write();
          return end;
        });
        journal.write();
        expect(read('a').map(({ text }) => text)).toEqual(lines);
        expect(read('a').map(({ end }) => end)).toEqual(ends);
        for (const [at, end] of ends.entries()) {
          expect(read('a', end).map(({ text }) => text)).toEqual(lines.slice(at + 1));
        }
        journal.close(true);
        expect(folder.owners()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('reads lines longer than a chunk', () => {
    const journal = new Journal(folder, 'a');
    const long = JSON.stringify('é'.repeat(1_500_000));
    for (const line of ['1', long, '2']) journal.append(Buffer.from(line));
    journal.write();
    expect(read('a').map(({ text }) => text.length)).toEqual([1, long.length, 1]);
  });

  it('leaves out a last line that was cut off', () => {
    const journal = new Journal(folder, 'a', sizes);
    journal.append(Buffer.from('{"whole":1}'));
    journal.write();
    appendFileSync(join(root, 'a', '1.jsonl'), '{"torn":');
    expect(read('a').map(({ text }) => text)).toEqual(['{"whole":1}']);
  });

  it('keeps the lines of a failed write and puts them over what was cut off', () => {
    const path = join(root, 'a', '1.jsonl');
    let fails = false;
    const failing: JournalFolder = Object.assign(Object.create(folder) as DiskJournalFolder, {
      create: (owner: string) => folder.create(owner),
      write: (owner: string, segment: number, offset: number, bytes: Uint8Array, length: number) => {
        folder.write(owner, segment, offset, bytes, fails ? length - 5 : length);
        if (fails) throw new Error('no space left on device');
      },
    });
    const journal = new Journal(failing, 'a', sizes);
    journal.append(Buffer.from('one'));
    journal.write();
    fails = true;
    journal.append(Buffer.from('two, which is longer'));
    expect(() => journal.write()).toThrow('no space');
    expect(() => journal.write()).toThrow('no space');
    journal.append(Buffer.from('three'));
    fails = false;
    journal.write();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo, which is longer\nthree\n');
    expect(journal.full).toBe(false);
    fails = true;
    journal.append(Buffer.from('x'.repeat(3_000)));
    expect(journal.full).toBe(true);
  });

  it('removes segments that are no longer needed', () => {
    const journal = new Journal(folder, 'a', sizes);
    for (let line = 0; line < 42; line++) {
      journal.append(Buffer.from('x'.repeat(100)));
      journal.write();
    }
    expect(folder.segments('a').length).toBeGreaterThan(5);
    journal.removeBefore(journal.segment);
    expect(folder.segments('a')).toEqual([journal.segment]);
  });
});

describe('DiskJournalFolder', () => {
  it('locks a journal against other processes until its owner is gone', () => {
    folder.create('a');
    const claim = () => {
      const words = `
        import { DiskJournalFolder } from ${JSON.stringify(resolve(import.meta.dirname, 'journal-folder.ts'))};
        const folder = new DiskJournalFolder(${JSON.stringify(root)});
        const claimed = folder.claim('a');
        process.stdout.write(String(claimed));
        process.kill(process.pid, 'SIGKILL');`;
      return spawnSync(process.execPath, ['--input-type=module', '-e', words], { encoding: 'utf8' }).stdout;
    };
    expect(claim()).toBe('false');
    expect(new DiskJournalFolder(root).claim('a')).toBe(false);
    folder.release('a');
    expect(claim()).toBe('true');
    // That process was killed with the lock in its hands.
    expect(folder.claim('a')).toBe(true);
  });

  it('says when there can be no folder', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => new DiskJournalFolder(join(root, 'file', 'journal'))).toThrow('ENOTDIR');
  });
});
