import type { BatchAnswer, BatchState } from '../../core/batch-desk.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import { providerError } from '../call/provider-error.ts';
import type { Gateway } from '../gateway.ts';
import type { Batch } from './batch.ts';
import type { OpenDesk } from './desk.ts';
import { goneTriesMax, isGone, lostAfterMs } from './remote-run.ts';
import type { LineBound, LostAnswer } from './settle-line.ts';

const triesMs = 60_000;
/** Answers that are counted and not there may be written a little later: so often it is looked again, and after how long. */
const moreLooksMax = 3;
const moreLooksMs = 20_000;

export interface ResultTaking {
  readonly batch: Batch;
  /** null where nobody is left who could ask the provider. */
  readonly open: OpenDesk | null;
  readonly bounds: readonly LineBound[];
  /** Places of requests that are settled. */
  readonly done: ReadonlySet<number>;
  /** How the provider tells its end now. */
  look(): Promise<BatchState>;
  settle(answer: BatchAnswer | LostAnswer): Promise<void>;
  pause(delayMs: number): Promise<void>;
  stops(): boolean;
}

/** What one pass over the results showed of requests that were really handed in, each counted once. */
interface Seen {
  readonly good: Set<number>;
  readonly bad: Map<number, BatchAnswer>;
}

/** Every answer that the provider has is settled, and what it may have billed without one. */
export async function takeResults(gateway: Gateway, taking: ResultTaking, told: BatchState): Promise<void> {
  const { batch, open } = taking;
  const { clock, log } = gateway;
  let state = told;
  let seen: Seen = { good: new Set(), bad: new Map() };
  for (let goneTries = 0, moreLooks = 0; !taking.stops(); ) {
    const pass: Seen = { good: new Set(), bad: new Map() };
    const kept = { isSettling: false };
    try {
      if (open !== null) await settleAnswers(taking, open, state, pass, kept);
      // What was there once is known, whatever became of its file.
      if (state.unread === undefined) seen = pass;
      if (moreLooks < moreLooksMax && mayComeLater(taking, state, seen)) {
        moreLooks += 1;
        await taking.pause(gateway.snapshot().settings.batchLooksMs ?? moreLooksMs);
        const again = await taking.look();
        if (again.isOver && again.refusal === null) state = again;
        continue;
      }
      await settleMissing(gateway, taking, state, seen);
      return;
    } catch (cause) {
      const error = asGatewayError(cause);
      log.warn('the results of a batch cannot be taken', { batchId: batch.id, reason: error.message });
      if (!kept.isSettling && state.unread === undefined) {
        goneTries = isGone(error) ? goneTries + 1 : 0;
        const isLost = goneTries >= goneTriesMax || clock.now() > batch.expiresAt + lostAfterMs;
        // It will be as large the next time.
        if (isLost || error.code === 'upstream_answer_too_large') {
          seen = pass;
          state = withoutFiles(state, error.message);
          continue;
        }
      }
      await taking.pause(gateway.snapshot().settings.batchLooksMs ?? triesMs);
    }
  }
}

/** Whether an answer is missing that the provider counts, of results that can be read. */
function mayComeLater({ open, bounds, done }: ResultTaking, state: BatchState, { good, bad }: Seen): boolean {
  if (open === null || state.unread !== undefined || (state.doubt ?? null) !== null) return false;
  return countsOf(state, bounds.length - done.size, good.size, bad.size).missing > 0;
}

/** Over, and no more of it can be read. What it counts is still known. */
function withoutFiles(told: BatchState, reason: string): BatchState {
  const counts = told.completed + told.failed > 0;
  return { ...told, resultsAt: [], doubt: told.doubt ?? (counts ? null : reason), unread: reason };
}

/** An error counts once the whole has no answer for the same request: a provider may have tried it twice. */
async function settleAnswers(
  taking: ResultTaking,
  { desk, ask }: OpenDesk,
  state: BatchState,
  { good, bad }: Seen,
  kept: { isSettling: boolean },
): Promise<void> {
  const { bounds, done } = taking;
  const settle = async (answer: BatchAnswer) => {
    if (done.has(answer.index)) return;
    kept.isSettling = true;
    await taking.settle(answer);
    kept.isSettling = false;
  };
  for await (const answer of desk.results(ask, state)) {
    const { index, status } = answer;
    if (index >= bounds.length) continue;
    if (status !== 200) bad.set(index, answer);
    else if (!good.has(index)) {
      good.add(index);
      await settle(answer);
    }
  }
  for (const index of good) bad.delete(index);
  for (const answer of bad.values()) await settle(answer);
}

/**
 * Requests without an answer. As many as the provider counts and does not show were answered and billed: the dearest of them,
 * for nobody knows which. All of them, where not even a count is to be had.
 */
async function settleMissing(
  gateway: Gateway,
  taking: ResultTaking,
  state: BatchState,
  { good, bad }: Seen,
): Promise<void> {
  const { batch, open, bounds, done } = taking;
  const heldFor = ({ bound, held = bound }: LineBound) => held;
  const left = bounds.map((_, index) => index).filter((index) => !done.has(index));
  if (left.length === 0) return;
  left.sort((one, other) => heldFor(bounds[other]!) - heldFor(bounds[one]!));
  const { missing, failed, reason } = countsOf(state, left.length, good.size, bad.size);
  const tell = (message: string) =>
    open === null
      ? new GatewayError('upstream_error', message)
      : providerError('upstream_error', open.deployment.provider, message, gateway.snapshot().secrets);
  if (missing > 0) {
    gateway.log.error('requests of a batch have no answer; they are charged at their bounds', {
      batchId: batch.id,
      requests: missing,
      reason,
    });
  }
  const lost = tell(`${reason}; what it may have cost is charged`);
  for (const index of left.slice(0, missing)) {
    if (taking.stops()) return;
    await taking.settle({ index, lost });
  }
  const failure = tell(`${state.unread ?? 'it counts it as failed'}; it tells no more of it, and it costs nothing`);
  for (const index of left.slice(missing, missing + failed)) {
    if (taking.stops()) return;
    await taking.settle({ index, lost: failure, isFree: true });
  }
}

/** Of requests without an answer: those that were billed all the same, and those that failed. */
function countsOf(
  state: BatchState,
  unanswered: number,
  good: number,
  bad: number,
): { readonly missing: number; readonly failed: number; readonly reason: string } {
  const { doubt = null, unread } = state;
  if (doubt !== null) return { missing: unanswered, failed: 0, reason: doubt };
  const failedLeft = Math.max(0, state.failed - bad);
  // Errors beyond those that it counts stand among what it counts as answered.
  const counted = state.completed - good - Math.max(0, bad - state.failed);
  const unaccounted = state.isWhole ? unanswered - failedLeft : 0;
  const missing = Math.min(unanswered, Math.max(0, counted, unaccounted));
  const failed = Math.min(unanswered - missing, failedLeft);
  const gone = `of ${Math.max(state.completed, good + missing)} answers ${missing} are not there`;
  return { missing, failed, reason: unread === undefined ? gone : `${gone}: ${unread}` };
}
