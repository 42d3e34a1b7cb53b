import { createHash } from 'node:crypto';
import type { Received } from '../../core/exchange.ts';
import type { Log, RecordSink } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { Secret } from '../../core/secret.ts';
import type { SinkSetting } from '../../core/sink-settings.ts';
import { entryOf, type SinkEntry, withoutCaller } from './entry.ts';
import { openDestination, type Program } from './open-destination.ts';
import type { Sender } from './post.ts';
import { type QueueCounts, SinkQueue } from './queue.ts';

export interface SinksOptions {
  readonly sender: Sender;
  readonly log: Log;
  readonly program: Program;
  /** What all queues together may hold. */
  readonly bytesMax?: number;
}

const bytesMaxDefault = 24 * 1024 * 1024;
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
  #closing: Promise<void>[] = [];

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
  }

  record(record: RequestRecord, journey: Received | null): void {
    if (this.#open.length === 0 || journey?.options.noLog === true) return;
    const succeeded = record.status === 'success';
    let entry: SinkEntry | undefined;
    for (const { setting, queue } of this.#open) {
      if (!wants(setting, succeeded, journey)) continue;
      entry ??= entryOf(record, journey, this.#options.sender.clock.tick(), this.#wantsContent());
      const told = setting.takesContent || entry.content === null ? entry : { ...entry, content: null };
      queue.take(setting.hidesCaller ? withoutCaller(told) : told);
    }
  }

  states(): SinkState[] {
    const states = this.#open.map(({ queue }) => ({
      name: queue.name,
      counts: plus(queue.counts, this.#past.get(queue.name)),
      waitingBytes: queue.waitingBytes,
      isFailing: queue.isFailing,
    }));
    for (const [name, counts] of this.#past) {
      if (!states.some((state) => state.name === name)) {
        states.push({ name, counts, waitingBytes: 0, isFailing: false });
      }
    }
    return states;
  }

  /** Delivers what waits, for a few seconds at most. */
  async close(): Promise<void> {
    for (const { queue } of this.#open) this.#retire(queue);
    this.#open = [];
    await Promise.all(this.#closing);
  }

  #wantsContent(): boolean {
    return this.#open.some(({ setting }) => setting.takesContent);
  }

  #retire(queue: SinkQueue): void {
    const closing = queue.close(closeMs).then(() => {
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
