import { ByteWriter } from '../core/byte-writer.ts';
import type { Admitted, Received, ReplyOrigin } from '../core/exchange.ts';
import type { BudgetRule } from '../core/limits.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import type { Gateway } from './gateway.ts';
import type { Start } from './receive.ts';

export interface ReplyMoment {
  readonly start: Start;
  /** null when not even the body could be read. */
  readonly journey: Received | null;
  readonly origin: ReplyOrigin;
  /** null while it is not known: streams, refusals. */
  readonly cost: ReplyCost | null;
}

const lines = new ByteWriter();
export const noLines = Buffer.alloc(0);

/** Header lines that tell about an answer, for every answer. Never throws: an answer without them is better than none. */
export function headerLinesOf(gateway: Gateway, { start, journey, origin, cost }: ReplyMoment): Buffer {
  try {
    const admitted = journey as Partial<Admitted> | null;
    const principal = admitted?.principal ?? null;
    const keyRule = principal === null ? undefined : principal.budgets.find(isKeyBudget);
    const durationMs = gateway.clock.tick() - start.tick;
    const { settings, router } = journey?.snapshot ?? start.snapshot;
    const facts = {
      callId: start.callId ?? start.id,
      principal,
      model: admitted?.model || null,
      origin,
      rateReservation: admitted?.rateReservation ?? null,
      router,
      timeoutMs: admitted?.options?.timeoutMs ?? settings.timeouts.totalMs,
      cost,
      keySpend: keyRule === undefined ? null : gateway.ledger.balance(keyRule).spent,
      keyBudget: keyRule?.cap ?? null,
      clampedOutputTokens: admitted?.clampedOutputTokens ?? null,
      durationMs,
      overheadMs: Math.max(0, durationMs - origin.upstreamMs),
      error: origin.error,
    };
    lines.reset();
    gateway.describeReply(facts, lines);
    return Buffer.from(lines.written);
  } catch (cause) {
    gateway.log.error('answer headers could not be written', { requestId: start.id, cause: String(cause) });
    return noLines;
  }
}

function isKeyBudget({ scope, model }: BudgetRule): boolean {
  return scope === 'key' && model === null;
}
