import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Identified } from '../../core/exchange.ts';
import type { HeardInSession, SessionSettings } from '../../core/session-format.ts';
import { noUsage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import type { Gateway } from '../gateway.ts';
import { Ear } from './ear.ts';
import type { Listening } from './listening.ts';
import { providersTranscriber, type Transcriber, transcriberOf } from './transcriber.ts';
import type { Place } from './turns.ts';

/** 16-bit samples at 24 kHz: nothing else is taken. */
const bytesPerMs = 48;
/** So much sound is one row on the books. */
const rowMs = 60_000;

/** One model that hears all that is said, and what of it is on no row yet. */
interface Hearer {
  readonly ear: Ear;
  openMs: number;
}

/**
 * What is said in a session that translates while it goes on. There are no turns: a model is paid for all the sound that
 * goes to it, silence as well, a minute at a time and held before it goes; so is one that writes down what was said.
 */
export class Interpreting implements Pick<Listening, keyof Listening> {
  readonly #gateway: Gateway;
  readonly #arrival: Arrival;
  readonly #decided: () => void;
  #place: Place | null = null;
  #identified: Identified | null = null;
  #translator: Hearer | null = null;
  #writer: Hearer | null = null;
  refusal: GatewayError | null = null;
  /** Nothing is waited for: what was sent is what is paid. */
  readonly isUnderWay = false;
  readonly isExpecting = false;

  constructor(gateway: Gateway, arrival: Arrival, decided: () => void) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#decided = decided;
  }

  begin(place: Place, identified: Identified, first: Ear | null): void {
    this.#place = place;
    this.#identified = identified;
    this.#translator = first === null ? null : { ear: first, openMs: 0 };
  }

  async choose({ transcript }: SessionSettings): Promise<string | null> {
    if (transcript === undefined) return null;
    if (transcript === null) {
      this.#write(null);
      return null;
    }
    const transcriber = transcriberOf(this.#identified!, this.#place!.deployment, transcript);
    if (this.#writer?.ear.isOf(transcriber) !== true) this.#write(transcriber);
    return transcript.model === undefined || transcriber.model === transcript.model ? null : transcriber.model;
  }

  sound(bytes: number): boolean | Promise<boolean> {
    const moreMs = bytes / bytesPerMs;
    const hearers = this.#hearers();
    if (hearers.every(({ ear, openMs }) => ear.covers(openMs + moreMs))) {
      this.#sent(moreMs);
      return true;
    }
    return this.#covered(hearers, moreMs);
  }

  async #covered(hearers: readonly Hearer[], moreMs: number): Promise<boolean> {
    try {
      await Promise.all(hearers.map((hearer) => hearer.ear.cover(() => hearer.openMs + moreMs)));
    } catch (cause) {
      this.refusal = asGatewayError(cause);
      this.#decided();
      return false;
    }
    this.#sent(moreMs);
    return true;
  }

  #sent(moreMs: number): void {
    for (const hearer of this.#hearers()) {
      hearer.openMs += moreMs;
      if (hearer.openMs >= rowMs) book(hearer);
    }
  }

  soundEnds(): void {}

  soundDropped(): void {}

  /** A provider may write down what is said without having been asked to. */
  heard(heard: HeardInSession): void {
    if (heard.kind !== 'settings' || heard.settings.transcript === undefined) return;
    const { transcript } = heard.settings;
    if (transcript === null) this.#write(null);
    else if (this.#writer?.ear.answersTo(transcript.model) !== true) {
      this.#write(providersTranscriber(this.#identified!, this.#place!.deployment, transcript));
    }
  }

  close(): void {
    for (const hearer of this.#hearers()) end(hearer);
    this.#translator = null;
    this.#writer = null;
  }

  #write(transcriber: Transcriber | null): void {
    if (this.#writer !== null) end(this.#writer);
    this.#writer = transcriber === null ? null : { ear: new Ear(this.#gateway, this.#arrival, transcriber), openMs: 0 };
  }

  #hearers(): Hearer[] {
    return [this.#translator, this.#writer].filter((hearer) => hearer !== null);
  }
}

/** On the books with exactly as much as was sent. */
function book(hearer: Hearer): void {
  const audioMs = Math.ceil(hearer.openMs);
  hearer.openMs = 0;
  hearer.ear.transcribed(hearer.ear.take(audioMs), { ...noUsage, units: { audioMs } });
}

function end(hearer: Hearer): void {
  if (hearer.openMs > 0) book(hearer);
  hearer.ear.close(null);
}
