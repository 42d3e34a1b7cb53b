import type { BatchState } from '../../core/batch-desk.ts';
import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Gateway } from '../gateway.ts';
import type { Batch } from './batch.ts';
import type { OpenDesk } from './desk.ts';

const firstLookMs = 1_000;
const looksMsMax = 60_000;
const slowerBy = 1.5;
/** After its own window a provider gets this long to say that it is over, and to give its results. */
export const lostAfterMs = 24 * 3_600_000;
/** How often in a row it may say that what it has taken is not there; an hour, at a minute each. */
export const goneTriesMax = 60;

export type RemoteEnd =
  | { readonly kind: 'over'; readonly state: BatchState }
  /** Nothing of it was done, and nothing will be. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It was handed in, and nobody will say what became of it. */
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'left' };

export interface RemoteWatch {
  readonly batch: Batch;
  readonly open: OpenDesk;
  readonly id: string;
  /** Resolves after so long, or when there is something to look at. */
  pause(delayMs: number): Promise<void>;
  /** This process stops. */
  leaves(): boolean;
  /** No more of it is wanted. */
  isUnwanted(): boolean;
}

/** The provider says that there is no such thing. */
export function isGone({ status }: GatewayError): boolean {
  return status === 404 || status === 410;
}

/** Asks the provider from time to time, until it is over. */
export async function watchRemote(gateway: Gateway, watch: RemoteWatch): Promise<RemoteEnd> {
  const { batch, open, id } = watch;
  const { clock, log } = gateway;
  let cancelAsked = false;
  let goneTries = 0;
  for (let waitMs = firstLookMs; !watch.leaves(); waitMs = Math.min(looksMsMax, waitMs * slowerBy)) {
    await watch.pause(gateway.snapshot().settings.batchLooksMs ?? waitMs);
    if (watch.leaves()) break;
    try {
      if (watch.isUnwanted() && !cancelAsked) {
        await open.desk.cancel(open.ask, id);
        cancelAsked = true;
        waitMs = firstLookMs;
      }
      const state = await open.desk.look(open.ask, id);
      goneTries = 0;
      batch.completed = state.completed;
      batch.failed = state.failed;
      if (state.isOver) {
        return state.refusal === null ? { kind: 'over', state } : { kind: 'refused', reason: state.refusal };
      }
    } catch (cause) {
      const error = asGatewayError(cause);
      // The provider keeps it: the next look may be luckier.
      log.warn('a batch cannot be looked at', { batchId: batch.id, reason: error.message });
      cancelAsked ||= watch.isUnwanted();
      goneTries = isGone(error) ? goneTries + 1 : 0;
      if (goneTries >= goneTriesMax) return { kind: 'lost', reason: error.message };
    }
    if (clock.now() > batch.expiresAt + lostAfterMs) {
      return { kind: 'lost', reason: 'nobody says what became of it' };
    }
  }
  return { kind: 'left' };
}
