import type { WireRow } from '../row.ts';
import { credentialHostRow } from './credential-host.ts';
import { cutsRow } from './cuts.ts';
import { doorLimitsRow } from './door-limits.ts';
import { failoverRow } from './failover.ts';
import { framingRow } from './framing.ts';
import { fuzzRow } from './fuzz.ts';
import { idleSocketsRow } from './idle-sockets.ts';
import { rollingRestartRow } from './rolling-restart.ts';
import { slowReadersRow } from './slow-readers.ts';
import { stallsRow } from './stalls.ts';
import { telemetryRow } from './telemetry.ts';
import { truncationRow } from './truncation.ts';

/** Those that measure memory and times stand together: one after the other, since two at once would disturb each other. */
export const streamRows: readonly WireRow[] = [cutsRow, truncationRow, slowReadersRow, doorLimitsRow, stallsRow];

export const connectionRows: readonly WireRow[] = [
  credentialHostRow,
  rollingRestartRow,
  failoverRow,
  fuzzRow,
  framingRow,
  idleSocketsRow,
  telemetryRow,
];

export const wireRows: readonly WireRow[] = [...streamRows, ...connectionRows];
