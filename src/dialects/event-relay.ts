import type { StreamProgress, StreamRelay, UpstreamErrorFacts } from '../core/dialect.ts';
import { EventReader, EventSplitter } from '../core/server-sent-events.ts';
import { newStreamProgress } from '../core/stream-progress.ts';
import { kindOfText } from './error-facts.ts';

/** What becomes of one event: sent on as it came, left out, or with other data (latin1). */
export type EventVerdict = 'pass' | 'drop' | { readonly data: string };

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
    const text = whole.toString('latin1');
    const reader = this.#reader;
    reader.open(text);
    let output = '';
    let copied = 0;
    let isChanged = false;
    while (reader.next()) {
      const verdict = this.#judgeEvent(reader);
      if (verdict === 'pass') continue;
      isChanged = true;
      output += text.slice(copied, reader.start);
      copied = reader.end;
      if (verdict !== 'drop') output += rewritten(text, reader, verdict.data);
    }
    if (!isChanged) return whole;
    output += text.slice(copied);
    return output === '' ? null : Buffer.from(output, 'latin1');
  }

  #judgeEvent(reader: EventReader): EventVerdict {
    if (reader.data === null) return reader.foreign || this.progress.ending !== 'open' ? dropEvent : passEvent;
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

function rewritten(text: string, reader: EventReader, data: string): string {
  if (reader.dataStart !== -1) {
    const dataEnd = reader.dataStart + reader.data!.length;
    return text.slice(reader.start, reader.dataStart) + data + text.slice(dataEnd, reader.end);
  }
  return `${reader.name === '' ? '' : `event: ${reader.name}\n`}data: ${data}\n\n`;
}
