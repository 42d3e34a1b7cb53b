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

/** In this order: limits first, for in the minute after replicas were killed and Redis forgot everything they are shared out sparingly. */
export const outageRows: readonly Row[] = [
  slowRedisRow,
  limitsRow,
  outagesRow,
  deadReplicaRow,
  revocationRow,
  editsRow,
  clocksRow,
];

/** The books last. */
export const moneyRows: readonly Row[] = [
  capRow,
  refusalsRow,
  killsRow,
  scheduleRow,
  idempotencyRow,
  hangupBillRow,
  hangupStopRow,
  attemptsRow,
  togetherRow,
  powerLossRow,
  backupRow,
  balanceRow,
];

/** All of them run with the tests in short, each group over a rig of its own. */
export const rows: readonly Row[] = [...outageRows, ...moneyRows];
