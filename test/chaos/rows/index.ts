import type { Row } from '../row.ts';
import { attemptsRow } from './attempts.ts';
import { backupRow } from './backup.ts';
import { balanceRow } from './balance.ts';
import { capRow } from './cap.ts';
import { clocksRow } from './clocks.ts';
import { deadReplicaRow } from './dead-replica.ts';
import { editsRow } from './edits.ts';
import { hangupBillRow, hangupStopRow } from './hangups.ts';
import { idempotencyRow } from './idempotency.ts';
import { killsRow } from './kills.ts';
import { limitsRow } from './limits.ts';
import { outagesRow } from './outages.ts';
import { powerLossRow } from './power-loss.ts';
import { refusalsRow } from './refusals.ts';
import { revocationRow } from './revocation.ts';
import { scheduleRow } from './schedule.ts';
import { slowRedisRow } from './slow-redis.ts';
import { togetherRow } from './together.ts';

/**
 * All of them run with the tests in short, over one rig. In this order: limits first, for in the minute after replicas were
 * killed and Redis forgot everything they are shared out sparingly; the books last.
 */
export const rows: readonly Row[] = [
  slowRedisRow,
  limitsRow,
  outagesRow,
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
  togetherRow,
  editsRow,
  clocksRow,
  powerLossRow,
  backupRow,
  balanceRow,
];
