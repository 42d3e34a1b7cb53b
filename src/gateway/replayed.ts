import type { Identified, Reply } from '../core/exchange.ts';
import type { Gateway } from './gateway.ts';
import type { ReplayedAnswer } from './once.ts';
import type { Start } from './receive.ts';
import { nothingBought } from './record/free-outcome.ts';
import { recordOfReplay } from './record/request-row.ts';
import { tell } from './record.ts';
import { noOrigin } from './refuse.ts';
import { headerLinesOf } from './reply-headers.ts';

const free = Object.freeze({ charged: 0, listed: 0, discount: 0, margin: 0 });

/** The reply to a repeated request: the answer of the first one, byte for byte, at no cost, with a row of its own. */
export function replayed(gateway: Gateway, start: Start, journey: Identified, earlier: ReplayedAnswer): Reply {
  const row = recordOfReplay(gateway, start, journey, earlier);
  gateway.ledger.record(row);
  tell(gateway, row, journey);
  const { status, contentType, body } = earlier.answer;
  return {
    status,
    headers: ['content-type', contentType, 'x-tollgate-idempotent-replay', 'true'],
    headerLines: headerLinesOf(gateway, { start, journey, origin: noOrigin, cost: free }),
    body,
    origin: noOrigin,
    outcome: Promise.resolve(nothingBought(status, row.endedAt)),
  };
}
