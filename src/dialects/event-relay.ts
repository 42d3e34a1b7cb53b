import type { StreamProgress, StreamRelay, UpstreamErrorFacts } from '../core/dialect.ts';
import { EventReader, EventSplitter } from '../core/server-sent-events.ts';
import { newStreamProgress } from '../core/stream-progress.ts';
import { kindOfText } from './error-facts.ts';

/** What becomes of one event: sent on as it came, left out, or with other bytes in place of the first of its data. */
export type EventVerdict = 'pass' | 'drop' | Splice;

export interface Splice {
  /** How many bytes of the data are replaced. */
  readonly skip: number;
  readonly instead: Buffer;
  /** Bytes behind them that are taken out. */
  readonly cut?: Cut;
}

export interface Cut {
  /** Position in the data. */
  at: number;
  readonly length: number;
}

export const passEvent = 'pass';
export const dropEvent = 'drop';

/** A relay over server-sent events; a dialect says what to make of the data of each. */
export abstract class EventRelay implements StreamRelay {
  readonly progress: StreamProgress = newStreamProgress();
  readonly #splitter = new EventSplitter();
  readonly #reader = new EventReader();

  /** Reads one event's data, keeps `progress` up to date. Called while the ending is open. */
  protected abstract judge(name: string, data: string): EventVerdict;

  /** The bytes are over and the ending is still open: text owed to the client when this counts as complete. */
  protected abstract finish(): string;

  push(chunk: Uint8Array): Uint8Array | null {
    const whole = this.#splitter.push(chunk);
    return whole === null ? null : this.#relay(whole);
  }

  end(): Uint8Array | null {
    const rest = this.#splitter.rest();
    let last: Uint8Array | null = null;
    if (rest !== null) {
      // What was cut off in the middle is no event; what only lacks its empty line is one.
      last = this.#relay(Buffer.concat([rest, Buffer.from('\n\n')]));
    }
    const owed = this.progress.ending === 'open' ? this.finish() : '';
    if (owed === '') return last;
    return Buffer.concat([last ?? Buffer.alloc(0), Buffer.from(owed)]);
  }

  #relay(whole: Buffer): Uint8Array | null {
    const reader = this.#reader;
    reader.open(whole.toString('latin1'));
    let changes: Change[] | null = null;
    let size = whole.length;
    while (reader.next()) {
      const verdict = this.#judgeEvent(reader);
      if (verdict === 'pass') continue;
      const change = changeOf(reader, verdict);
      size += (change.instead === null ? 0 : change.instead.length) - (change.to - change.from);
      if (changes === null) changes = [change];
      else changes.push(change);
      if (verdict === 'drop' || verdict.cut === undefined || reader.dataStart === -1) continue;
      const from = reader.dataStart + verdict.cut.at;
      changes.push({ from, to: from + verdict.cut.length, instead: null });
      size -= verdict.cut.length;
    }
    if (changes === null) return whole;
    return size === 0 ? null : changed(whole, changes, size);
  }

  #judgeEvent(reader: EventReader): EventVerdict {
    if (reader.data === null) return reader.foreign || this.progress.ending === 'error' ? dropEvent : passEvent;
    if (this.progress.ending !== 'open') return dropEvent;
    this.progress.events += 1;
    return this.judge(reader.name, reader.data);
  }

  /** The provider told an error, or something that cannot be read: nothing more is sent on. */
  protected fail(facts: UpstreamErrorFacts, status: number | undefined): EventVerdict {
    this.progress.ending = 'error';
    this.progress.error = { ...facts, status };
    return dropEvent;
  }

  protected failUnreadable(): EventVerdict {
    const message = 'The provider sent a stream event that is not JSON.';
    const facts = { message, type: undefined, code: undefined, param: undefined, fields: undefined };
    return this.fail({ ...facts, kind: kindOfText(message) }, undefined);
  }
}

/** Bytes `from` to `to` make way for others. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly instead: Buffer | null;
}

function changeOf(reader: EventReader, verdict: 'drop' | Splice): Change {
  const { start, end, dataStart } = reader;
  if (verdict === 'drop') return { from: start, to: end, instead: null };
  if (dataStart !== -1) return { from: dataStart, to: dataStart + verdict.skip, instead: verdict.instead };
  // Data that came in several lines goes on in one.
  const name = reader.name === '' ? '' : `event: ${reader.name}\n`;
  const { skip, instead, cut } = verdict;
  const all = reader.data!;
  const rest = cut === undefined ? all.slice(skip) : all.slice(skip, cut.at) + all.slice(cut.at + cut.length);
  const data = (instead.toString('latin1') + rest).replaceAll('\n', ' ');
  return { from: start, to: end, instead: Buffer.from(`${name}data: ${data}\n\n`, 'latin1') };
}

function changed(whole: Buffer, changes: readonly Change[], size: number): Buffer {
  const output = Buffer.allocUnsafe(size);
  let written = 0;
  let copied = 0;
  for (const { from, to, instead } of changes) {
    written += whole.copy(output, written, copied, from);
    if (instead !== null) written += instead.copy(output, written);
    copied = to;
  }
  whole.copy(output, written, copied);
  return output;
}
