import type { ByteWriter } from './byte-writer.ts';
import type { GatewayError } from './errors.ts';
import type { ReplyOrigin } from './exchange.ts';
import type { Principal } from './identity.ts';
import type { Nanodollars } from './money.ts';
import type { RateLimitReservation } from './ports.ts';
import type { RouterSettings } from './route.ts';

/** What is known about an answer when its headers leave. */
export interface ReplyFacts {
  /** The id the caller knows the request by. */
  readonly callId: string;
  /** null while it is not known who asks. */
  readonly principal: Principal | null;
  /** Public model name after aliases; null before the plan. */
  readonly model: string | null;
  /** null when the request never reached the call station. */
  readonly origin: ReplyOrigin | null;
  readonly rateReservation: RateLimitReservation | null;
  readonly router: RouterSettings;
  readonly timeoutMs: number;
  /** Charged for the request; null for a stream, whose cost is known only at its end. */
  readonly cost: ReplyCost | null;
  /** What the key has spent in its running window, this request included where its cost is known; null without a key. */
  readonly keySpend: Nanodollars | null;
  /** Cap of the key's first budget; null when it has none. */
  readonly keyBudget: Nanodollars | null;
  /** Set when the gateway lowered the caller's maximum so that the bound fits a budget. */
  readonly clampedOutputTokens: number | null;
  /** Milliseconds from the whole request to the answer's headers. */
  readonly durationMs: number;
  /** The gateway's own share of it. */
  readonly overheadMs: number;
  readonly error: GatewayError | null;
}

/** How a charge came about. */
export interface ReplyCost {
  readonly charged: Nanodollars;
  /** Before discount and margin. */
  readonly listed: Nanodollars;
  readonly discount: Nanodollars;
  readonly margin: Nanodollars;
}

/** Writes header lines as they go on the wire, `name: value` and a line end each, lower-case names; see core/header-text.ts. */
export type DescribeReply = (facts: ReplyFacts, lines: ByteWriter) => void;
