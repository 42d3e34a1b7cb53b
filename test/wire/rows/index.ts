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

export const wireRows: readonly WireRow[] = [
  credentialHostRow,
  cutsRow,
  truncationRow,
  rollingRestartRow,
  failoverRow,
  slowReadersRow,
  doorLimitsRow,
  fuzzRow,
  framingRow,
  idleSocketsRow,
  stallsRow,
  telemetryRow,
];
