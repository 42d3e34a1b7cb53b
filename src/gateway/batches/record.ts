import type { RequestRecord } from '../../core/request-record.ts';
import { noUsage } from '../../core/usage.ts';
import type { Batch } from './batch.ts';
import { batchRoute } from './lines.ts';

/** The row of the batch itself: its requests have rows, and costs, of their own. */
export function recordOfWork(batch: Batch, id: string, now: number): RequestRecord {
  const { operation, dialect } = batchRoute(batch.endpoint).matched.route;
  return {
    id,
    operation,
    dialect,
    path: '/v1/batches',
    status: 'success',
    httpStatus: 200,
    errorCode: null,
    errorMessage: null,
    keyId: batch.keyId,
    keyAlias: null,
    userId: null,
    teamId: null,
    organizationId: null,
    endUserId: null,
    tags: [],
    sessionId: null,
    traceId: null,
    clientAddress: null,
    modelAsked: null,
    modelGroup: null,
    deploymentId: null,
    provider: null,
    modelUsed: null,
    apiBase: null,
    stream: false,
    cacheHit: false,
    cacheKey: null,
    usage: noUsage,
    cost: 0,
    bound: 0,
    priceSource: null,
    startedAt: batch.createdAt,
    firstTokenAt: null,
    endedAt: now,
    overheadMs: 0,
    attempts: [],
    finishReason: null,
    metadata: { batch_id: batch.id, requests: batch.total },
    requestText: null,
    responseText: null,
  };
}
