import { GatewayError } from '../../core/errors.ts';
import type { TranscriptSettings } from '../../core/session-format.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import type { Gateway } from '../gateway.ts';
import { realtimeRoute, transcriptRoute } from '../operations.ts';
import { findModel } from '../routing/model-lookup.ts';
import { paysHold } from '../settle.ts';
import { Slice } from './slice.ts';
import type { Transcriber } from './transcriber.ts';
import { usageOfTranscript } from './transcript-usage.ts';

/** Sound is paid for in advance by the minute; where there is no room for one, by less. */
const stepsMs = [60_000, 10_000] as const;
/** Bytes of text in a second of speech, where a transcript is not told. */
const textBytesPerSecond = 15;

/** A thing that was said, with the slice that pays for its transcript. */
export interface Said {
  readonly slice: Slice | Promise<Slice | null>;
  readonly audioMs: number;
  textBytes: number;
}

/** A slice that there is before anybody transcribes, for so much sound. */
export interface FirstSlice {
  readonly slice: Slice;
  readonly heldMs: number;
}

/** One model that transcribes a session's sound: the slice for what is being said, and those of what was said. */
export class Ear {
  readonly #gateway: Gateway;
  readonly #arrival: Arrival;
  readonly #transcriber: Transcriber;
  #slice: Slice | null = null;
  #heldMs: number;
  /** Bytes of text that were told of what is being said. */
  #textBytes = 0;
  #work: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(gateway: Gateway, arrival: Arrival, transcriber: Transcriber, first: FirstSlice | null = null) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#transcriber = transcriber;
    this.#slice = first?.slice ?? null;
    this.#heldMs = first?.heldMs ?? 0;
  }

  isOf({ name, model, deployment }: Transcriber): boolean {
    const own = this.#transcriber;
    return own.name === name && own.model === model && own.deployment.id === deployment.id;
  }

  /** Providers tell the date of a model that was asked for without one. */
  answersTo(model: string | undefined): boolean {
    return (
      model === undefined || model === this.#transcriber.model || model.startsWith(`${this.#transcriber.model}-20`)
    );
  }

  get holds(): boolean {
    return this.#slice !== null;
  }

  covers(openMs: number): boolean {
    return this.#slice !== null && openMs <= this.#heldMs;
  }

  /** Holds enough for what is being said. Rejects with the GatewayError that refuses it. */
  cover(openMs: () => number): Promise<void> {
    const work = this.#work.then(() => this.#coverNow(openMs));
    this.#work = work.catch(() => undefined);
    return work;
  }

  async #coverNow(openMs: () => number): Promise<void> {
    while (!this.#isOver && !this.covers(openMs())) {
      await inSteps((stepMs) => this.#hold(upTo(openMs(), stepMs)));
    }
  }

  async #hold(heldMs: number): Promise<void> {
    const slice = this.#slice;
    if (slice === null) return this.#first(heldMs);
    const { dialect, body, address } = slice.admitted;
    await slice.grow(dialect.inspect({ ...body, audio_ms: heldMs }, address));
    // It may have gone with its item meanwhile.
    if (slice === this.#slice) this.#heldMs = heldMs;
  }

  async #first(heldMs: number): Promise<void> {
    const slice = await this.#grant(heldMs, this.#arrival);
    if (this.#isOver) return slice.end('success', noUsage);
    this.#slice = slice;
    this.#heldMs = heldMs;
  }

  async #grant(audioMs: number, arrival: Arrival): Promise<Slice> {
    const { deployment, model, name } = this.#transcriber;
    const slice = await Slice.grant(this.#gateway, transcriptArrival(arrival, this.#transcriber, audioMs), {
      name,
      deployment,
    });
    await slice.begin(deployment, model);
    return slice;
  }

  /** What was being said is complete. */
  take(audioMs: number): Said {
    const slice = this.#slice;
    if (slice === null) return this.late(audioMs);
    const said = { slice, audioMs, textBytes: this.#textBytes };
    this.#slice = null;
    this.#heldMs = 0;
    this.#textBytes = 0;
    return said;
  }

  /** Said and not paid for in advance: it takes its place on the books whether there is room or not. */
  late(audioMs: number): Said {
    const heldMs = upTo(audioMs, stepsMs[0]);
    const arrival = { ...this.#arrival, funds: { isSpent: true, release: () => undefined } };
    const slice = this.#grant(heldMs, arrival).catch((cause) => {
      this.#gateway.log.error('a transcript could not be recorded', { cause: String(cause) });
      return null;
    });
    return { slice, audioMs, textBytes: 0 };
  }

  /** It was not transcribed after all. */
  released(said: Said): void {
    this.#settle(said, (slice) => slice.end('success', noUsage));
  }

  wrote(bytes: number): void {
    this.#textBytes += bytes;
  }

  transcribed(said: Said, usage: Usage | undefined): void {
    const { price } = this.#transcriber.deployment;
    this.#settle(said, (slice) => slice.end('success', usageOfTranscript(usage, said, price)));
  }

  failed(said: Said, message: string): void {
    const error = new GatewayError('upstream_error', `The transcript failed: ${message}`);
    this.#settle(said, (slice) => slice.end('failure', noUsage, error));
  }

  /** Nobody hears the end of it: the provider goes on all the same. */
  abandoned(said: Said): void {
    this.#settle(said, (slice) => slice.end('aborted', this.#guess(said)));
  }

  /** `openMs`: what was being said, where that counts. */
  close(openMs: number | null): void {
    this.#isOver = true;
    const slice = this.#slice;
    this.#slice = null;
    if (slice === null) return;
    // A model that waits for the end has done nothing yet.
    if (openMs === null || this.#textBytes === 0) slice.end('success', noUsage);
    else slice.end('aborted', this.#guess({ audioMs: openMs, textBytes: this.#textBytes }));
  }

  #guess({ audioMs, textBytes }: Pick<Said, 'audioMs' | 'textBytes'>): Usage | null {
    const { deployment } = this.#transcriber;
    if (paysHold(this.#gateway.snapshot().settings, deployment)) return null;
    const heard = { audioMs, textBytes: Math.max(textBytes, Math.ceil((audioMs * textBytesPerSecond) / 1_000)) };
    return usageOfTranscript(undefined, heard, deployment.price);
  }

  #settle({ slice }: Said, end: (slice: Slice) => void): void {
    if (slice instanceof Promise) void slice.then((late) => late !== null && end(late));
    else end(slice);
  }
}

/** Less where the budget has no room for more. */
async function inSteps<Result>(ask: (stepMs: number) => Promise<Result>): Promise<Result> {
  for (let index = 0; ; index += 1) {
    try {
      return await ask(stepsMs[index]!);
    } catch (cause) {
      const isTooMuch = cause instanceof GatewayError && ofRoom.has(cause.code);
      if (!isTooMuch || index + 1 === stepsMs.length) throw cause;
    }
  }
}

/** For a session that transcribes and does nothing else: where it goes is not known yet. */
export function firstSlice(gateway: Gateway, arrival: Arrival, settings: TranscriptSettings): Promise<FirstSlice> {
  const { model: name = '', promptBytes } = settings;
  const deployments = findModel(gateway.snapshot(), name)?.group.deployments ?? [];
  const isForRecordings =
    deployments.length === 0 || deployments.some((one) => one.operations.includes('transcription'));
  return inSteps(async (heldMs) => {
    const asked = transcriptArrival(arrival, { name, promptBytes }, heldMs);
    const matched = isForRecordings ? asked.matched : { ...asked.matched, route: realtimeRoute };
    return { slice: await Slice.grant(gateway, { ...asked, matched }), heldMs };
  });
}

const ofRoom: ReadonlySet<string> = new Set(['budget_exceeded', 'deployments_over_budget']);

function upTo(openMs: number, stepMs: number): number {
  return Math.max(1, Math.ceil(openMs / stepMs)) * stepMs;
}

/** The request that so much sound is, as if it were asked for by itself. */
function transcriptArrival(
  arrival: Arrival,
  { name, promptBytes }: Pick<Transcriber, 'name' | 'promptBytes'>,
  audioMs: number,
): Arrival {
  return {
    ...arrival,
    matched: { route: transcriptRoute, model: name, stream: true },
    bytes: Buffer.from(JSON.stringify({ model: name, audio_ms: audioMs, prompt_bytes: promptBytes })),
  };
}
