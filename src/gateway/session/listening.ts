import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Identified } from '../../core/exchange.ts';
import type { HeardInSession, SessionSettings, TranscriptSettings } from '../../core/session-format.ts';
import type { Usage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import type { Gateway } from '../gateway.ts';
import { Ear, type Said } from './ear.ts';
import { Recording } from './recording.ts';
import { providersTranscriber, type Transcriber, transcriberOf } from './transcriber.ts';
import type { Place } from './turns.ts';

interface Taken {
  readonly ear: Ear;
  readonly said: Said;
}

/** Transcripts that were told, remembered against being told twice. */
const toldMax = 1_000;

/**
 * The transcripts of what is said in a session. While they are on, no sound goes to the provider that is not paid for as a
 * transcript: a slice is held for what is being said, grows with it, and goes with it when the provider takes it for
 * transcribing. `refusal` says why no more can be said.
 */
export class Listening {
  readonly #gateway: Gateway;
  readonly #arrival: Arrival;
  readonly #decided: () => void;
  readonly #recording = new Recording();
  #place: Place | null = null;
  #identified: Identified | null = null;
  /** Who transcribes, and who was asked for and is not confirmed by the provider yet. */
  #now: Ear | null = null;
  #next: Ear | null = null;
  /** What was said and is being transcribed, by its item. */
  readonly #items = new Map<string, Taken>();
  /** What the caller ended, in order, and the provider has not taken yet; null where nobody transcribes. */
  readonly #ended: (Taken | null)[] = [];
  readonly #told = new Set<string>();
  /** Sound that waits for room. */
  readonly #waiting: (() => void)[] = [];
  refusal: GatewayError | null = null;

  constructor(gateway: Gateway, arrival: Arrival, decided: () => void) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#decided = decided;
  }

  /** `first`: who transcribes from the start, in a session that does nothing else. */
  begin(place: Place, identified: Identified, first: Ear | null): void {
    this.#place = place;
    this.#identified = identified;
    this.#next = first;
  }

  get isUnderWay(): boolean {
    return this.#items.size > 0 || this.#ended.some((ended) => ended !== null);
  }

  /** Sound was sent of which the provider may be making something. */
  get isExpecting(): boolean {
    return this.isUnderWay || ((this.#now ?? this.#next) !== null && this.#recording.openMs() > 0);
  }

  // ── What the caller says ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Another model, or none, from here on. Resolves to its name at the provider; null where the message can go on as it is.
   * Rejects with GatewayError for a model that may not be used: then the message must not go on.
   */
  async choose({ transcript, bytesPerSecond }: SessionSettings): Promise<string | null> {
    if (bytesPerSecond !== undefined) this.#recording.bytesPerSecond = bytesPerSecond;
    if (transcript === undefined) return null;
    if (transcript === null) {
      this.#next?.close(null);
      this.#next = null;
      return null;
    }
    const inForce = this.#next ?? this.#now;
    // Its language or prompt alone is changed.
    if (transcript.model === undefined && inForce !== null) return null;
    const transcriber = transcriberOf(this.#identified!, this.#place!.deployment, transcript);
    const { name, model } = transcriber;
    if (inForce === null || !inForce.isOf(transcriber)) {
      this.#next?.close(null);
      this.#next = this.#earOf(transcriber);
      await this.#cover(this.#next, this.#recording.sentMs);
    }
    return transcript.model === undefined || (name === transcript.model && model === name) ? null : model;
  }

  /** Whether this much sound may go on; when not, `refusal` says why. */
  sound(bytes: number): boolean | Promise<boolean> {
    const until = this.#recording.after(bytes);
    const ears = [this.#now, this.#next].filter((ear) => ear !== null);
    if (ears.every((ear) => ear.covers(this.#recording.openMs(until)))) {
      this.#recording.sent(until);
      return true;
    }
    return Promise.all(ears.map((ear) => this.#cover(ear, until))).then((covered) => {
      const isCovered = covered.every(Boolean);
      if (isCovered) this.#recording.sent(until);
      return isCovered;
    });
  }

  soundEnds(): void {
    const audioMs = this.#recording.openMs();
    this.#recording.ends();
    // The provider has heard of another model by then.
    const ear = this.#next ?? this.#now;
    this.#ended.push(ear?.holds ? { ear, said: ear.take(audioMs) } : null);
  }

  soundDropped(): void {
    this.#recording.drops();
  }

  // ── What the provider says ────────────────────────────────────────────────────────────────────────────────────────

  heard(heard: HeardInSession): void {
    switch (heard.kind) {
      case 'settings':
        this.#confirmed(heard.settings);
        break;
      case 'speech_began':
        this.#recording.speechBegan(heard.atMs);
        break;
      case 'speech_ended':
        this.#recording.speechEnded(heard.item, heard.atMs);
        break;
      case 'sound_taken':
        this.#taken(heard.item);
        break;
      case 'sound_dropped':
        this.#recording.dropped();
        break;
      case 'sound_refused':
        this.#nothingTaken();
        break;
      case 'words':
        this.#words(heard.item, heard.bytes);
        break;
      case 'transcribed':
        this.#transcribed(heard.item, heard.part, heard.bytes, heard.usage);
        break;
      case 'not_transcribed':
        this.#notTranscribed(heard.item, heard.message);
        break;
    }
  }

  /** The settings as they are in force. */
  #confirmed({ transcript, bytesPerSecond }: SessionSettings): void {
    if (bytesPerSecond !== undefined) this.#recording.bytesPerSecond = bytesPerSecond;
    const next = this.#next;
    if (next !== null && (transcript === undefined || (transcript !== null && next.answersTo(transcript.model)))) {
      this.#replace(next);
    } else if (transcript === null) {
      if (next === null) this.#replace(null);
    } else if (transcript !== undefined && this.#now?.answersTo(transcript.model) !== true) {
      this.#replace(this.#providersEar(transcript));
    }
  }

  /** What was said so far is transcribed now. */
  #taken(item: string): void {
    const isEnded = !this.#recording.hasHeardEnd(item);
    const audioMs = this.#recording.take(item);
    const ear = this.#now ?? this.#next;
    const ended = isEnded || ear?.holds === false ? (this.#ended.shift() ?? null) : null;
    if (ended !== null && ended.ear !== ear) ended.ear.released(ended.said);
    if (ear === null) return;
    const said = ended?.ear === ear ? { ...ended.said, audioMs } : ear.take(audioMs);
    this.#items.set(item, { ear, said });
    if (this.#recording.openMs() > 0) void this.#cover(ear, this.#recording.sentMs);
  }

  #nothingTaken(): void {
    this.#recording.nothingTaken();
    const ended = this.#ended.shift();
    ended?.ear.released(ended.said);
    this.#settled();
  }

  /** Some text, which a model that does not wait for the end tells while it listens. */
  #words(item: string, bytes: number): void {
    const known = this.#items.get(item);
    if (known !== undefined) known.said.textBytes += bytes;
    else (this.#now ?? this.#next)?.wrote(bytes);
  }

  #transcribed(item: string, part: number, textBytes: number, usage: Usage | undefined): void {
    const name = `${item}/${part}`;
    if (this.#told.has(name)) return;
    if (this.#told.size >= toldMax) this.#told.delete(this.#told.values().next().value!);
    this.#told.add(name);
    const { ear, said } = this.#items.get(item) ?? this.#unforeseen();
    this.#items.delete(item);
    said.textBytes = textBytes;
    ear.transcribed(said, usage);
    this.#settled();
  }

  #notTranscribed(item: string, message: string): void {
    const known = this.#items.get(item);
    if (known === undefined) return;
    this.#items.delete(item);
    known.ear.failed(known.said, message);
    this.#settled();
  }

  close(): void {
    for (const { ear, said } of this.#items.values()) ear.abandoned(said);
    this.#items.clear();
    for (const ended of this.#ended.splice(0)) ended?.ear.abandoned(ended.said);
    const openMs = this.#recording.openMs();
    for (const ear of [this.#now, this.#next]) ear?.close(openMs);
    this.#now = null;
    this.#next = null;
    this.#settled();
  }

  // ── Money ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sees to it that all sound up to `untilMs` is paid for. */
  async #cover(ear: Ear, untilMs: number): Promise<boolean> {
    for (;;) {
      try {
        await ear.cover(() => this.#recording.openMs(untilMs));
        return true;
      } catch (cause) {
        if (this.isUnderWay) {
          // What is under way may leave room when it is settled.
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
          continue;
        }
        this.refusal = asGatewayError(cause);
        this.#decided();
        return false;
      }
    }
  }

  #settled(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#decided();
  }

  #replace(ear: Ear | null): void {
    this.#now?.close(null);
    this.#now = ear;
    if (ear === this.#next) this.#next = null;
    if (ear !== null && this.#recording.openMs() > 0) void this.#cover(ear, this.#recording.sentMs);
  }

  /** A transcript of what nobody said was taken: it is on the books all the same. */
  #unforeseen() {
    const ear = this.#now ?? this.#next ?? this.#providersEar({ model: undefined, promptBytes: 0 });
    return { ear, said: ear.late(0) };
  }

  #providersEar(settings: TranscriptSettings): Ear {
    return this.#earOf(providersTranscriber(this.#identified!, this.#place!.deployment, settings));
  }

  #earOf(transcriber: Transcriber): Ear {
    return new Ear(this.#gateway, this.#arrival, transcriber);
  }
}
