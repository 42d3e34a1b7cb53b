import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import type { ByteSink, ByteSource, Identified, Outcome, Received } from '../core/exchange.ts';
import type { IdempotencyRecord, KeptAnswer } from '../core/ports.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import { fromStore } from './authenticate.ts';
import type { Gateway } from './gateway.ts';

export const idempotencyHeader = 'idempotency-key';
/** A duplicate waits so long for an answer that is just being kept. */
const patienceMs = 250;
const lookMs = 50;
/** After everything about a request must be over, this much later it counts as interrupted. */
const graceMs = 60_000;

export function hasIdempotencyKey({ headers }: Received): boolean {
  return headers[idempotencyHeader] !== undefined;
}

/** What is asked for, and by whom. */
type Claimant = Pick<Identified, 'id' | 'principal' | 'snapshot' | 'headers' | 'path' | 'bytes'> & {
  readonly address: Pick<Identified['address'], 'query'>;
};

/**
 * Takes the caller's idempotency key for this request, on record before anything else happens. Resolves to the request's
 * hold on the key, or to the answer that was kept for an earlier request with it. Throws GatewayError when the key is in
 * use for another body, for a request under way, or for one whose answer was not kept.
 */
export async function claimOnce(gateway: Gateway, identified: Claimant): Promise<Once | ReplayedAnswer | null> {
  const { idempotency, clock } = gateway;
  if (idempotency === null) return null;
  const { timeouts, idempotency: settings } = identified.snapshot.settings;
  const now = clock.now();
  const claim = {
    key: sha256(JSON.stringify([identified.principal.keyId, keyIn(identified)])),
    fingerprint: fingerprintOf(identified),
    requestId: identified.id,
    now,
    runningUntil: now + timeouts.totalMs + graceMs,
    expiresAt: now + settings.ttlMs,
  };
  for (let waitedMs = 0; ; waitedMs += lookMs) {
    const found = await fromStore(() => idempotency.claim(claim));
    if (found.requestId === identified.id) return new Once(gateway, claim.key, identified.id, settings.answerBytesMax);
    if (found.fingerprint !== claim.fingerprint) throw mismatch();
    if (found.answer !== null) return { requestId: found.requestId, answer: found.answer };
    if (found.state !== 'running' || clock.now() >= found.runningUntil) throw lost(found);
    if (waitedMs >= patienceMs) throw underWay(found);
    await new Promise<void>((resolve) => clock.setTimer(lookMs, resolve));
  }
}

export interface ReplayedAnswer {
  /** The request that was answered. */
  readonly requestId: string;
  readonly answer: KeptAnswer;
}

/** A request's hold on its idempotency key. Ends in one of three ways: answer kept, answer lost, key given up. */
export class Once {
  readonly #gateway: Gateway;
  readonly #key: string;
  readonly #requestId: string;
  readonly #answerBytesMax: number;
  #chunks: Uint8Array[] | null = [];
  #size = 0;
  /** The last byte has passed: an outcome may be known before the client took the first one. */
  readonly #passed = Promise.withResolvers<void>();

  constructor(gateway: Gateway, key: string, requestId: string, answerBytesMax: number) {
    this.#gateway = gateway;
    this.#key = key;
    this.#requestId = requestId;
    this.#answerBytesMax = answerBytesMax;
  }

  /** The answer is known. What cannot have cost anything may be tried again; everything else is given again, or lost. */
  async over(outcome: Outcome, cost: ReplyCost | null, answer: KeptAnswer): Promise<void> {
    const bought = cost === null || cost.charged > 0 || outcome.attempts.some(({ ambiguous }) => ambiguous);
    if (outcome.kind !== 'success' && !bought) return this.giveUp();
    const fits = answer.body.length <= this.#answerBytesMax;
    await this.#write(outcome.kind === 'aborted' || !fits ? null : answer);
  }

  /** What the caller gets is known, whatever comes of it later. */
  async keep(answer: KeptAnswer): Promise<void> {
    await this.#write(answer);
  }

  /** As `over`, with what went through `teed`. */
  async streamOver(outcome: Outcome, cost: ReplyCost | null, status: number, contentType: string): Promise<void> {
    await this.#passed.promise;
    if (this.#chunks === null) return this.#write(null);
    await this.over(outcome, cost, { status, contentType, body: Buffer.concat(this.#chunks, this.#size) });
  }

  /** Nothing was sent: the key is free. */
  async giveUp(): Promise<void> {
    await this.#try((store) => store.release(this.#key, this.#requestId));
  }

  /** Something may have been sent, and there is no answer. */
  async lose(): Promise<void> {
    await this.#write(null);
  }

  /** The same stream, remembered as it flows as far as it may be kept. */
  teed(source: ByteSource): ByteSource {
    return {
      start: (sink) =>
        source.start({
          write: (chunk) => {
            this.#remember(chunk);
            return sink.write(chunk);
          },
          end: () => {
            this.#passed.resolve();
            sink.end();
          },
          destroy: () => {
            this.#passed.resolve();
            sink.destroy();
          },
        } satisfies ByteSink),
      resume: () => source.resume(),
      cancel: () => {
        source.cancel();
        this.#passed.resolve();
      },
      interrupt: (error) => source.interrupt(error),
    };
  }

  #remember(chunk: Uint8Array): void {
    if (this.#chunks === null) return;
    this.#size += chunk.length;
    if (this.#size > this.#answerBytesMax) this.#chunks = null;
    else this.#chunks.push(Buffer.from(chunk));
  }

  #write(answer: KeptAnswer | null): Promise<void> {
    return this.#try((store) => store.keep(this.#key, this.#requestId, answer));
  }

  /** A store that is away leaves the key to this request: it counts as lost when its time is over. */
  async #try(change: (store: NonNullable<Gateway['idempotency']>) => Promise<void>): Promise<void> {
    const { idempotency, log } = this.#gateway;
    if (idempotency === null) return;
    await change(idempotency).catch((cause: Error) => {
      log.warn('an idempotency key could not be brought up to date', {
        requestId: this.#requestId,
        reason: cause.message,
      });
    });
  }
}

function keyIn({ headers }: Claimant): string {
  const key = headers[idempotencyHeader];
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new GatewayError(
    'malformed_request',
    'Idempotency-Key: expected 1 to 255 visible ASCII characters, such as a UUID.',
    { param: 'Idempotency-Key' },
  );
}

function fingerprintOf({ path, address, bytes }: Claimant): string {
  return createHash('sha256').update(path).update('\n').update(address.query).update(bytes).digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function mismatch(): GatewayError {
  return new GatewayError(
    'idempotency_mismatch',
    'This Idempotency-Key was used for another request. Send the same body to the same path, or use a new key.',
    { param: 'Idempotency-Key' },
  );
}

function underWay({ requestId }: IdempotencyRecord): GatewayError {
  return new GatewayError(
    'idempotency_conflict',
    `A request with this Idempotency-Key is under way (${requestId}). Ask again with the same key when it is over.`,
    { param: 'Idempotency-Key', retryAfterSeconds: 1 },
  );
}

function lost({ requestId }: IdempotencyRecord): GatewayError {
  return new GatewayError(
    'idempotency_conflict',
    `The request with this Idempotency-Key was sent, but its answer was not kept: it was cut off, is too long to keep, or ` +
      `the gateway stopped. It is on record as ${requestId} and is not sent again. Use a new key to send another one.`,
    { param: 'Idempotency-Key' },
  );
}
