import type { Row } from '../row.ts';
import { balanceRow } from './balance.ts';
import { capRow } from './cap.ts';
import { deadReplicaRow } from './dead-replica.ts';
import { killsRow } from './kills.ts';
import { limitsRow } from './limits.ts';
import { refusalsRow } from './refusals.ts';
import { revocationRow } from './revocation.ts';
import { scheduleRow } from './schedule.ts';

/** In the order they are run: the books are looked at last. */
export const moneyRows: readonly Row[] = [capRow, refusalsRow, killsRow, scheduleRow, deadReplicaRow, balanceRow];

export const storeRows: readonly Row[] = [revocationRow, limitsRow];

export const rows: readonly Row[] = [...moneyRows, ...storeRows];
