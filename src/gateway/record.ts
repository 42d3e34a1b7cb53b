import type { Received, Settled } from '../core/exchange.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Gateway } from './gateway.ts';

/** Station 7: metrics, the span, the log line and the callbacks learn of the request. The row itself is the ledger's. */
export function record(gateway: Gateway, settled: Settled): void {
  tell(gateway, settled.record, settled);
}

/** A sink that fails harms neither the request nor the other sinks. */
export function tell({ sinks, log }: Gateway, row: RequestRecord, journey: Received | null): void {
  for (const sink of sinks) {
    try {
      sink.record(row, journey);
    } catch (cause) {
      log.error('a sink of request records failed', { requestId: row.id, cause: String(cause) });
    }
  }
}
