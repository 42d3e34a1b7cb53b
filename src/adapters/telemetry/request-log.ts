import type { Log, RecordSink } from '../../core/ports.ts';
import { totalInputTokens, totalOutputTokens } from '../../core/usage.ts';

/** One line for every finished request, at level info; nothing of what was asked or answered. Cost in nano-dollars. */
export function requestLog(log: Log): RecordSink {
  return {
    record(row) {
      log.info('request', {
        requestId: row.id,
        path: row.path,
        keyAlias: row.keyAlias ?? row.keyId,
        teamId: row.teamId,
        model: row.modelAsked,
        deploymentId: row.deploymentId,
        status: row.status,
        httpStatus: row.httpStatus,
        ...(row.errorCode === null ? {} : { errorCode: row.errorCode }),
        inputTokens: totalInputTokens(row.usage),
        outputTokens: totalOutputTokens(row.usage),
        costNanodollars: row.cost,
        durationMs: row.endedAt - row.startedAt,
        attempts: row.attempts.length,
        cacheHit: row.cacheHit,
      });
    },
  };
}
