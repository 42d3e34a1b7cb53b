import { createHash } from 'node:crypto';
import type { Outside } from './ports.ts';
import { AuthorizationError } from './provider.ts';

/** What is good until a moment: an access token, a set of temporary keys. */
export interface Expiring<T> {
  readonly value: T;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

const earlyMsMax = 5 * 60_000;
/** Too close to the end to begin a call with it. */
const lastMs = 10_000;
/** How long a failure answers for those who come right after it. */
const failureMs = 1_000;

/**
 * A token that must be fetched, kept until shortly before its end. One fetch at a time, whoever waits; while the old one
 * is still good nobody does.
 */
export class TokenSource<T> {
  readonly #obtain: (outside: Outside) => Promise<Expiring<T>>;
  #held: Expiring<T> | null = null;
  #renewAt = 0;
  #fetching: Promise<T> | null = null;
  #failure: { readonly error: AuthorizationError; readonly until: number } | null = null;

  constructor(obtain: (outside: Outside) => Promise<Expiring<T>>) {
    this.#obtain = obtain;
  }

  /** Throws, or rejects with, an AuthorizationError. */
  get(outside: Outside): T | Promise<T> {
    const now = outside.now();
    const held = this.#held;
    if (held !== null && now < this.#renewAt) return held.value;
    const isGood = held !== null && now < held.expiresAt - lastMs;
    if (this.#failure !== null && now < this.#failure.until) {
      if (isGood) return held.value;
      throw this.#failure.error;
    }
    this.#fetching ??= this.#renew(outside);
    if (!isGood) return this.#fetching;
    // Those who have a good one do not hear of a failure; the next one tries again.
    this.#fetching.catch(() => {});
    return held.value;
  }

  async #renew(outside: Outside): Promise<T> {
    try {
      const fetched = await this.#obtain(outside);
      const now = outside.now();
      this.#held = fetched;
      this.#renewAt = fetched.expiresAt - Math.min(earlyMsMax, (fetched.expiresAt - now) / 4);
      this.#failure = null;
      return fetched.value;
    } catch (cause) {
      if (!(cause instanceof AuthorizationError)) throw cause;
      this.#failure = { error: cause, until: outside.now() + failureMs };
      throw cause;
    } finally {
      this.#fetching = null;
    }
  }
}

const sourcesMax = 1_000;
const sources = new Map<string, TokenSource<unknown>>();

/**
 * The source for an identity, the same for all deployments that share it and over changes of the configuration. `identity`
 * is everything that decides what is fetched, secrets included: only its hash is kept.
 */
export function sharedTokenSource<T>(
  identity: readonly (string | null)[],
  obtain: (outside: Outside) => Promise<Expiring<T>>,
): TokenSource<T> {
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  let source = sources.get(key) as TokenSource<T> | undefined;
  if (source === undefined) {
    source = new TokenSource(obtain);
    if (sources.size >= sourcesMax) sources.delete(sources.keys().next().value as string);
    sources.set(key, source);
  }
  return source;
}
