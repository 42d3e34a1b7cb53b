import type { Nanodollars } from '../../src/core/money.ts';
import type { AccountTruth } from './account-truth.ts';
import type { Ask } from './oracle.ts';
import { Violation } from './violation.ts';

/** More than a token costs, and than the gateway comes down by for each time it was refused. */
const dearestToken = 16;

/** T3: the maximum that is chosen for a request which does not fit is the largest that does. */
export class ClampCheck {
  /** The least room that a request may have been told of when it was refused last. */
  readonly #rooms = new Map<string, Nanodollars>();

  /** `asks` are out at this moment: they may hold their money and not know yet. `told` is what the refusal itself leaves. */
  refused(
    { requestId, chain }: Ask,
    asks: Iterable<Ask>,
    told: Nanodollars,
    believed: (account: AccountTruth) => Nanodollars,
  ): void {
    const inFlight = [...asks].filter((other) => other.requestId !== requestId);
    let least = told;
    for (const { account, cap } of chain) {
      if (cap === null) continue;
      let room = cap - believed(account);
      for (const other of inFlight) if (other.chain.some((link) => link.account === account)) room -= other.amount;
      least = Math.min(least, room);
    }
    this.#rooms.set(requestId, least);
  }

  /** One more token of output would not have fitted. */
  admitted({ requestId, amount }: Ask): void {
    const room = this.#rooms.get(requestId);
    if (room === undefined) return;
    this.#rooms.delete(requestId);
    if (amount + dearestToken < room) {
      throw new Violation(`T3: ${requestId} was clamped to ${amount}, there was room for ${room}`);
    }
  }
}
