import type { Row } from '../row.ts';
import { attemptsRow } from './attempts.ts';
import { balanceRow } from './balance.ts';
import { capRow } from './cap.ts';
import { clocksRow } from './clocks.ts';
import { deadReplicaRow } from './dead-replica.ts';
import { hangupBillRow, hangupStopRow } from './hangups.ts';
import { idempotencyRow } from './idempotency.ts';
import { killsRow } from './kills.ts';
import { limitsRow } from './limits.ts';
import { outagesRow } from './outages.ts';
import { powerLossRow } from './power-loss.ts';
import { refusalsRow } from './refusals.ts';
import { revocationRow } from './revocation.ts';
import { scheduleRow } from './schedule.ts';

/** What runs with the tests, over one rig. In this order: the books are looked at last. */
export const testedRows: readonly Row[] = [
  capRow,
  refusalsRow,
  killsRow,
  scheduleRow,
  deadReplicaRow,
  revocationRow,
  idempotencyRow,
  hangupBillRow,
  hangupStopRow,
  attemptsRow,
  clocksRow,
  powerLossRow,
  outagesRow,
  balanceRow,
];

/** And those that a busy machine breaks: see what docs/proof.md says about them. */
export const rows: readonly Row[] = [...testedRows, limitsRow];
