import type { Clock, Log, Timer } from '../../core/ports.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { connectRedis, type RedisClient } from './connect.ts';
import type { RedisLink } from './link.ts';

/** What was changed, by scope and id. */
export interface Change {
  readonly scope: string;
  readonly id: string;
}

/** Somebody asks for what others do not use of a limit. */
export interface Recall {
  /** Its name and its height. */
  readonly limit: string;
  readonly height: number;
  /** How much is lacking; 0 = it will be, soon. */
  readonly lacking: number;
}

export interface ChangeListener {
  /** Another replica changed these. */
  onChanges(changes: readonly Change[]): void;
  /** Something may have been missed. */
  onGap(): void;
  /** Another replica has no room under a limit but what others have a right to and may not use. */
  onRecall(recall: Recall): void;
}

const changesMax = 10_000;
const reviveAfterMs = 250;
const recallLengthMax = 10_000;

/** Replicas tell each other at once what they have changed. A message may be lost: the store knows better. */
export class ChangeChannel {
  readonly #link: RedisLink;
  readonly #name: string;
  readonly #channel: string;
  readonly #recalls: string;
  readonly #subscriber: RedisClient;
  readonly #clock: Clock;
  /** Resolves when messages are heard for the first time. */
  readonly heard: Promise<void>;
  #isHeard: () => void = () => {};
  #revival: Timer | null = null;
  #isClosed = false;

  /** `name`: of this replica, which hears what it says itself. */
  constructor(
    settings: RedisSettings,
    link: RedisLink,
    name: string,
    listener: ChangeListener,
    clock: Clock,
    log: Log,
  ) {
    this.#link = link;
    this.#name = name;
    this.#clock = clock;
    this.#channel = `${settings.prefix}:changes`;
    this.#recalls = `${settings.prefix}:recalls`;
    this.heard = new Promise((resolve) => {
      this.#isHeard = resolve;
    });
    this.#subscriber = connectRedis(settings);
    // The other connection reports the same trouble.
    this.#subscriber.on('error', (error: Error) => log.debug('Redis subscription failed', { reason: error.message }));
    this.#subscriber.on('ready', () => {
      this.#subscriber.subscribe(this.#channel, this.#recalls).then(
        () => {
          this.#isHeard();
          listener.onGap();
        },
        (error: Error) => log.debug('Redis subscription failed', { reason: error.message }),
      );
    });
    // During a failover the client may give up for good.
    this.#subscriber.on('end', () => this.#revive());
    this.#subscriber.on('message', (channel: string, text: string) => {
      if (channel === this.#recalls) {
        const recall = readRecall(text, this.#name);
        if (recall !== undefined) listener.onRecall(recall);
        return;
      }
      const changes = readChanges(text);
      if (changes === undefined) listener.onGap();
      else listener.onChanges(changes);
    });
  }

  publish(changes: readonly Change[]): void {
    const text = JSON.stringify(changes.map(({ scope, id }) => [scope, id]));
    void this.#link.call((client) => client.publish(this.#channel, text));
  }

  /** Asks the others to give up what they do not use of a limit. */
  recall({ limit, height, lacking }: Recall): void {
    const text = JSON.stringify([limit, height, lacking, this.#name]);
    void this.#link.call((client) => client.publish(this.#recalls, text));
  }

  close(): void {
    this.#isClosed = true;
    this.#revival?.cancel();
    this.#subscriber.disconnect();
  }

  #revive(): void {
    if (this.#isClosed || this.#revival !== null) return;
    this.#revival = this.#clock.setTimer(reviveAfterMs, () => {
      this.#revival = null;
      if (this.#subscriber.status === 'end') this.#subscriber.connect().catch(() => this.#revive());
    });
  }
}

/** undefined also where it is this replica's own. */
function readRecall(text: string, ownName: string): Recall | undefined {
  if (text.length > recallLengthMax) return undefined;
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(written)) return undefined;
  const [limit, height, lacking, from] = written as unknown[];
  if (from === ownName) return undefined;
  if (typeof limit !== 'string' || typeof height !== 'number' || typeof lacking !== 'number') return undefined;
  return { limit, height, lacking };
}

/** Anybody may write to the channel. */
function readChanges(text: string): Change[] | undefined {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(written) || written.length > changesMax) return undefined;
  const changes: Change[] = [];
  for (const entry of written) {
    if (!Array.isArray(entry)) return undefined;
    const [scope, id] = entry as unknown[];
    if (typeof scope !== 'string' || typeof id !== 'string') return undefined;
    changes.push({ scope, id });
  }
  return changes;
}
