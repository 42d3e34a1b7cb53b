import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors.ts';
import type { CachedAnswer, Clock, Log, ResponseCache } from '../../core/ports.ts';
import { decodeKept, encodeKept, expiryOf, nameOf } from './kept-answer.ts';

/** Between two looks at how much lies there. */
const tidyMs = 60_000;
const fileName = /^[0-9a-f]{64}$/;
/** Bytes on their way to a disk that is slow; what comes on top is not kept. */
const pendingBytesMax = 32 * 1024 * 1024;
const headBytes = 20;

/**
 * Answers in files of a folder, each written aside and put in its place in one step. They outlive the process, and processes over one
 * folder share them. A disk that fails is a miss.
 */
export class DiskAnswers implements ResponseCache {
  readonly type = 'disk';
  readonly #folder: string;
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #pendingBytes = 0;
  #written = 0;
  #hasFailed = false;
  #tidiesAt = 0;

  constructor(folder: string, bytesMax: number, clock: Clock, log: Log) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.#log = log;
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    const stored = await readFile(this.#path(key)).catch(() => undefined);
    return stored === undefined ? undefined : decodeKept(stored, this.#clock.now());
  }

  set(key: string, answer: CachedAnswer, ttlMs: number): void {
    const size = answer.body.byteLength;
    if (ttlMs < 1 || size > this.#bytesMax / 4 || this.#pendingBytes + size > pendingBytesMax) return;
    this.#pendingBytes += size;
    void this.#write(key, encodeKept(answer, this.#clock.now() + ttlMs))
      .catch((cause: NodeJS.ErrnoException) => this.#failed(cause.code))
      .finally(() => {
        this.#pendingBytes -= size;
      });
  }

  async delete(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => removed(this.#path(key))));
  }

  async clear(): Promise<void> {
    for (const { path, isAside } of await this.#files()) if (!isAside) await removed(path);
  }

  async #write(key: string, bytes: Buffer): Promise<void> {
    const path = this.#path(key);
    const aside = `${path}.${process.pid}-${++this.#written}`;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await rename(aside, path);
    this.#hasFailed = false;
    if (this.#clock.tick() < this.#tidiesAt) return;
    this.#tidiesAt = this.#clock.tick() + tidyMs;
    await this.tidy();
  }

  /** What is over goes, then the oldest until the rest has room. */
  async tidy(): Promise<void> {
    const now = this.#clock.now();
    const kept: { path: string; size: number; at: number }[] = [];
    for (const { path, size, at, isAside } of await this.#files()) {
      // What was being written when its process died, or what is over.
      if (isAside ? now - at > tidyMs : (await expiryIn(path)) <= now) await removed(path);
      else if (isAside) continue;
      else kept.push({ path, size, at });
    }
    let room = this.#bytesMax;
    for (const { path, size } of kept.sort((one, other) => other.at - one.at)) {
      room -= size;
      if (room < 0) await removed(path);
    }
  }

  /** Our own: others may keep files in the same folder. */
  async #files(): Promise<{ path: string; size: number; at: number; isAside: boolean }[]> {
    const found = [];
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const [own = '', aside] = name.split('.');
      if (!fileName.test(own)) continue;
      const path = join(this.#folder, name);
      const facts = await stat(path).catch(() => null);
      if (facts !== null) found.push({ path, size: facts.size, at: facts.mtimeMs, isAside: aside !== undefined });
    }
    return found;
  }

  #path(key: string): string {
    return join(this.#folder, nameOf(key));
  }

  /** Told once, until it works again. */
  #failed(code: string | undefined): void {
    if (!this.#hasFailed) this.#log.warn('answers cannot be kept on disk', { reason: code ?? 'unknown' });
    this.#hasFailed = true;
  }
}

async function expiryIn(path: string): Promise<number> {
  const file = await open(path).catch(() => null);
  if (file === null) return 0;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return expiryOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function removed(path: string): Promise<void> {
  await unlink(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return;
    throw new GatewayError('overloaded', `A cached answer could not be removed (${cause.code}).`);
  });
}
