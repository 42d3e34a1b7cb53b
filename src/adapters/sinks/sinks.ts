import { createHash } from 'node:crypto';
import type { Received } from '../../core/exchange.ts';
import type { OwnSink, SinkRules } from '../../core/identity.ts';
import type { Log, RecordSink } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { Secret } from '../../core/secret.ts';
import type { SinkSetting } from '../../core/sink-settings.ts';
import { entryOf, principalOf, type SinkEntry, withoutCaller, withoutErrorText } from './entry.ts';
import { openDestination, type Program } from './open-destination.ts';
import type { Sender } from './post.ts';
import { type QueueCounts, SinkQueue } from './queue.ts';

export interface SinksOptions {
  readonly sender: Sender;
  readonly log: Log;
  readonly program: Program;
  /** What all queues of the gateway's sinks together may hold. */
  readonly bytesMax?: number;
  /** The sink that a key or team asks for, or why there is none. */
  readonly ownSink?: (rule: OwnSink) => SinkSetting | string;
}

const bytesMaxDefault = 24 * 1024 * 1024;
/** Sinks of keys and teams share this much, and each may have that much of it. */
const ownPoolBytesMax = 8 * 1024 * 1024;
const ownBytesMax = 2 * 1024 * 1024;
const ownSinksMax = 200;
const closeMs = 5_000;

interface OpenSink {
  readonly setting: SinkSetting;
  readonly queue: SinkQueue;
}

export interface SinkState {
  readonly name: string;
  readonly counts: Readonly<QueueCounts>;
  readonly waitingBytes: number;
  readonly isFailing: boolean;
}

/** Tells finished requests to every sink that wants them. Costs nothing while there is none. */
export class Sinks implements RecordSink {
  readonly #options: SinksOptions;
  #open: readonly OpenSink[] = [];
  /** Of sinks that were closed by a new configuration, so that no count ever goes back. */
  readonly #past = new Map<string, QueueCounts>();
  /** On their way out: their counts are told until they are among those of the past. */
  readonly #retiring = new Set<SinkQueue>();
  #closing: Promise<void>[] = [];
  /** Of keys and teams, by what they say; the one that was used longest ago is closed when there are too many. */
  readonly #own = new Map<string, OpenSink>();
  readonly #ownPool = { used: 0, max: ownPoolBytesMax };
  #resolved = new WeakMap<SinkRules, readonly OpenSink[]>();

  constructor(options: SinksOptions) {
    this.#options = options;
  }

  /** A configuration comes into force: sinks that stayed as they were keep their queues, the others are closed. */
  apply(settings: readonly SinkSetting[]): void {
    const { sender, log, program, bytesMax = bytesMaxDefault } = this.#options;
    const before = new Map(this.#open.map((sink) => [identityOf(sink.setting), sink]));
    const share = Math.floor(bytesMax / Math.max(1, settings.length));
    this.#open = settings.map((setting) => {
      const known = before.get(identityOf(setting));
      before.delete(identityOf(setting));
      if (known !== undefined) {
        known.queue.bytesMax = share;
        return { setting, queue: known.queue };
      }
      const destination = openDestination(setting.destination, sender, program);
      return {
        setting,
        queue: new SinkQueue({ name: setting.name, destination, clock: sender.clock, log, bytesMax: share }),
      };
    });
    for (const { queue } of before.values()) this.#retire(queue);
    // What keys may name depends on the configuration.
    this.#resolved = new WeakMap();
  }

  record(record: RequestRecord, journey: Received | null): void {
    const rules = principalOf(journey)?.sinkRules ?? null;
    if (this.#open.length === 0 && rules === null) return;
    if (journey?.options.noLog === true || rules?.isOff === true) return;
    const sinks = rules === null ? this.#open : this.#sinksUnder(rules);
    const succeeded = record.status === 'success';
    let entry: SinkEntry | undefined;
    for (const { setting, queue } of sinks) {
      if (!wants(setting, succeeded, journey)) continue;
      if (entry === undefined) {
        const wantsContent = rules?.hidesContent !== true && sinks.some((sink) => sink.setting.takesContent);
        entry = entryOf(record, journey, this.#options.sender.clock.tick(), wantsContent);
      }
      let told = setting.takesContent || entry.content === null ? entry : { ...entry, content: null };
      if (setting.hidesErrors) told = withoutErrorText(told);
      queue.take(setting.hidesCaller ? withoutCaller(told) : told);
    }
  }

  /** The gateway's sinks that are told of requests under these rules, and those of the key's or team's own. */
  #sinksUnder(rules: SinkRules): readonly OpenSink[] {
    const names = new Set([...rules.leftOut, ...rules.own.map(({ name }) => name)]);
    let own = this.#resolved.get(rules);
    if (own === undefined) {
      own = rules.own.flatMap((rule) => this.#openOwn(rule));
      this.#resolved.set(rules, own);
    }
    return [...this.#open.filter(({ setting }) => !names.has(setting.name)), ...own];
  }

  #openOwn(rule: OwnSink): OpenSink[] {
    const { ownSink, sender, log, program } = this.#options;
    const setting = ownSink?.(rule) ?? `${rule.name}: sinks of keys are not offered`;
    if (typeof setting === 'string') {
      log.warn('a sink of a key or team cannot be used', { reason: setting });
      return [];
    }
    const shared = this.#open.find((sink) => identityOf(sink.setting) === identityOf(setting));
    if (shared !== undefined) return [shared];
    const identity = identityOf(setting);
    let open = this.#own.get(identity);
    if (open === undefined) {
      if (this.#own.size >= ownSinksMax) this.#closeOldest();
      const destination = openDestination(setting.destination, sender, program);
      const queue = new SinkQueue({
        name: `${setting.name} (own)`,
        destination,
        clock: sender.clock,
        log,
        bytesMax: ownBytesMax,
        pool: this.#ownPool,
      });
      open = { setting, queue };
    }
    this.#own.delete(identity);
    this.#own.set(identity, open);
    return [open];
  }

  #closeOldest(): void {
    for (const [identity, { queue }] of this.#own) {
      this.#own.delete(identity);
      this.#resolved = new WeakMap();
      this.#retire(queue);
      return;
    }
  }

  /** One a name, those of keys and teams together. */
  states(): SinkState[] {
    const states = new Map<string, SinkState>();
    for (const [name, counts] of this.#past) states.set(name, { name, counts, waitingBytes: 0, isFailing: false });
    const queues = [...this.#open, ...this.#own.values()].map(({ queue }) => queue);
    for (const { name, counts, waitingBytes, isFailing } of [...queues, ...this.#retiring]) {
      const known = states.get(name);
      states.set(name, {
        name,
        counts: plus(counts, known?.counts),
        waitingBytes: waitingBytes + (known?.waitingBytes ?? 0),
        isFailing: isFailing || known?.isFailing === true,
      });
    }
    return [...states.values()];
  }

  /** Delivers what waits, for a few seconds at most. */
  async close(): Promise<void> {
    for (const { queue } of [...this.#open, ...this.#own.values()]) this.#retire(queue);
    this.#open = [];
    this.#own.clear();
    await Promise.all(this.#closing);
  }

  #retire(queue: SinkQueue): void {
    this.#retiring.add(queue);
    const closing = queue.close(closeMs).then(() => {
      this.#retiring.delete(queue);
      this.#past.set(queue.name, plus(queue.counts, this.#past.get(queue.name)));
      this.#closing = this.#closing.filter((one) => one !== closing);
    });
    this.#closing.push(closing);
  }
}

function wants({ name, hears, destination }: SinkSetting, succeeded: boolean, journey: Received | null): boolean {
  if (hears !== 'all' && (hears === 'success') !== succeeded) return false;
  if (journey === null) return true;
  if (journey.options.sinksLeftOut.includes(name)) return false;
  // A collector gets what its sampler chose; whoever asked for every request gets every request.
  return destination.kind !== 'otlp' || destination.langfuse || journey.trace === null || journey.trace.sampled;
}

function plus(counts: QueueCounts, more: QueueCounts | undefined): QueueCounts {
  if (more === undefined) return { ...counts };
  return {
    produced: counts.produced + more.produced,
    delivered: counts.delivered + more.delivered,
    dropped: counts.dropped + more.dropped,
    failures: counts.failures + more.failures,
  };
}

/** Equal for settings that are equal in all they say, credentials included. */
function identityOf(setting: SinkSetting): string {
  const text = JSON.stringify(setting, function (this: Record<string, unknown>, name, value: unknown) {
    const original = this[name];
    return original instanceof Secret ? original.reveal() : value;
  });
  return createHash('sha256').update(text).digest('base64');
}
