import { LRUCache } from 'lru-cache';

interface Entry<Value> {
  readonly value: Value;
  readonly loadedTick: number;
  /** What the value was made from: when one of these changes, the entry is forgotten. */
  readonly sources: readonly string[];
}

export interface Loaded<Value> {
  readonly value: Value;
  readonly sources: readonly string[];
}

export interface FreshCacheOptions<Value> {
  readonly load: (key: string) => Promise<Loaded<Value>>;
  /** Monotonic milliseconds. */
  readonly tick: () => number;
  readonly entriesMax: number;
  readonly ttlMs: number;
  /** Values that stand for "there is none": kept apart, fewer and shorter, so that guessing cannot push out the rest. */
  readonly isAbsent: (value: Value) => boolean;
  readonly absentMax: number;
  readonly absentTtlMs: number;
  /** Whether what is too old is still better than nothing when it cannot be loaded; never when left out. */
  readonly servesStale?: (() => boolean) | undefined;
}

/**
 * A bounded cache in front of the store: one load at a time per key, refreshed in the background in the second half of
 * its time, and never filled with what was read before a change that it has been told of.
 */
export class FreshCache<Value> {
  readonly #options: FreshCacheOptions<Value>;
  readonly #present: LRUCache<string, Entry<Value>>;
  readonly #absent: LRUCache<string, Entry<Value>>;
  readonly #loading = new Map<string, Promise<Value>>();
  /** The keys of the entries that were made from each source: a change costs what it touches, however much is cached. */
  readonly #madeFrom = new Map<string, Set<string>>();
  #changes = 0;

  constructor(options: FreshCacheOptions<Value>) {
    this.#options = options;
    const dispose = (entry: Entry<Value>, key: string) => this.#unlink(key, entry);
    // By size, one each: with `max` the room for the most entries is taken, and filled, beforehand.
    const sizeCalculation = () => 1;
    this.#present = new LRUCache({ maxSize: options.entriesMax, sizeCalculation, dispose });
    this.#absent = new LRUCache({ maxSize: options.absentMax, sizeCalculation, dispose });
  }

  get(key: string): Value | Promise<Value> {
    const { tick, ttlMs, absentTtlMs } = this.#options;
    const present = this.#present.get(key);
    if (present !== undefined) {
      const age = tick() - present.loadedTick;
      if (age < ttlMs) {
        if (age > ttlMs / 2 && !this.#loading.has(key)) this.#load(key).catch(ignoreUntilItEnds);
        return present.value;
      }
    } else {
      const absent = this.#absent.get(key);
      if (absent !== undefined && tick() - absent.loadedTick < absentTtlMs) return absent.value;
    }
    return this.#loading.get(key) ?? this.#load(key);
  }

  /** Forgets what was made from `source`; null forgets everything. Loads under way will not be kept. */
  forget(source: string | null): void {
    this.#changes += 1;
    this.#loading.clear();
    if (source === null) {
      this.#present.clear();
      this.#absent.clear();
      return;
    }
    for (const key of [...(this.#madeFrom.get(source) ?? [])]) {
      this.#present.delete(key);
      this.#absent.delete(key);
    }
  }

  #load(key: string): Promise<Value> {
    const changesBefore = this.#changes;
    const loading = this.#options.load(key).then(
      ({ value, sources }) => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
        if (this.#changes === changesBefore) this.#keep(key, { value, sources, loadedTick: this.#options.tick() });
        return value;
      },
      (error: unknown) => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
        const stale = this.#present.get(key);
        if (stale !== undefined && this.#options.servesStale?.()) return stale.value;
        throw error;
      },
    );
    this.#loading.set(key, loading);
    return loading;
  }

  #keep(key: string, entry: Entry<Value>): void {
    const absent = this.#options.isAbsent(entry.value);
    (absent ? this.#absent : this.#present).set(key, entry);
    (absent ? this.#present : this.#absent).delete(key);
    for (const source of entry.sources) {
      const keys = this.#madeFrom.get(source);
      if (keys === undefined) this.#madeFrom.set(source, new Set([key]));
      else keys.add(key);
    }
  }

  /** An entry is gone, or another one took its place. */
  #unlink(key: string, { sources }: Entry<Value>): void {
    for (const source of sources) {
      const keys = this.#madeFrom.get(source);
      keys?.delete(key);
      if (keys?.size === 0) this.#madeFrom.delete(source);
    }
  }
}

/** The value at hand is still good; when it ends, the load is tried again and its error shown. */
function ignoreUntilItEnds(): void {}
