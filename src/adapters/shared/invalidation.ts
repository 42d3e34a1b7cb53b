import type { Log } from '../../core/ports.ts';
import type { ChangeRepository } from '../../core/store.ts';
import type { Change } from '../redis/change-channel.ts';

export interface InvalidationOptions {
  /** Where the changes of all replicas are counted. */
  readonly changes: Pick<ChangeRepository, 'newest' | 'since'>;
  readonly publish: (changes: readonly Change[]) => void;
  readonly log: Log;
}

/** `null`: anything may have changed. `isOwn` when it was announced here. */
export type ChangedListener = (what: Change | null, isOwn: boolean) => void;

/**
 * Tells what was changed, here or on another replica, so that it is forgotten. Messages bring it at once; the store's
 * counter shows what messages failed to bring.
 */
export class Invalidation {
  readonly #options: InvalidationOptions;
  readonly #listeners: ChangedListener[] = [];
  /** Newest change of the store that is known here; null before the first look. */
  #known: number | null = null;
  #looking: Promise<void> | null = null;
  #unpublished: Change[] = [];
  #isTrouble = false;

  constructor(options: InvalidationOptions) {
    this.#options = options;
  }

  onChange(listener: ChangedListener): void {
    this.#listeners.push(listener);
  }

  /** Committed here: forgotten here at once, and the others are told. `null` when anything may have changed. */
  announce(what: Change | null): void {
    this.#deliver(what, true);
    if (what === null) return;
    if (this.#unpublished.length === 0) queueMicrotask(() => this.#publish());
    this.#unpublished.push(what);
  }

  /** Another replica's message. */
  received(changes: readonly Change[]): void {
    for (const change of changes) this.#deliver(change);
  }

  /** Asks the store what is new. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { changes, log } = this.#options;
    try {
      const newest = await changes.newest();
      const known = this.#known;
      if (newest === known) return;
      // The first look, or a store that was put back to an earlier state.
      const since = known === null || newest < known ? null : await changes.since(known);
      this.#known = since?.at(-1)?.version ?? newest;
      if (since === null) this.#deliver(null);
      else for (const { scope, id } of since) this.#deliver({ scope, id });
      this.#isTrouble = false;
    } catch (cause) {
      if (!this.#isTrouble) log.warn('changes of other replicas cannot be read', { reason: (cause as Error).message });
      this.#isTrouble = true;
    }
  }

  #publish(): void {
    const changes = this.#unpublished;
    this.#unpublished = [];
    this.#options.publish(changes);
  }

  #deliver(what: Change | null, isOwn = false): void {
    for (const listener of this.#listeners) listener(what, isOwn);
  }
}
