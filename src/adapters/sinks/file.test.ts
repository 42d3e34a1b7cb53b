import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sinkEntry, uuid } from '../../../test/contract/sink.ts';
import { fileDestination } from './file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-file-sink-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const limitFiles = (bytes: number | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
const ids = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);

it('a disk that is full in the middle of a line leaves no half line in the file', async () => {
  const path = join(folder, 'requests.jsonl');
  const file = fileDestination({ kind: 'file', path, bytesMax: 1_000_000 });
  const batch = (number: number) => [file.encode(sinkEntry(number))];
  expect(await file.send(batch(1))).toMatchObject({ kind: 'delivered' });
  limitFiles(statSync(path).size + 100);
  const second = batch(2);
  try {
    expect(await file.send(second)).toMatchObject({ kind: 'again' });
  } finally {
    limitFiles('unlimited');
  }
  expect(ids(path)).toEqual([uuid(1)]);
  expect(await file.send(second)).toMatchObject({ kind: 'delivered' });
  expect(ids(path)).toEqual([uuid(1), uuid(2)]);
});

it('a full file is put aside', async () => {
  const path = join(folder, 'requests.jsonl');
  const file = fileDestination({ kind: 'file', path, bytesMax: 10 });
  for (const number of [1, 2]) await file.send([file.encode(sinkEntry(number))]);
  expect([ids(`${path}.1`), ids(path)]).toEqual([[uuid(1)], [uuid(2)]]);
});
