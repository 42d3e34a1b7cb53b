import type { AccountEntry, AccountSpec } from '../../src/core/books.ts';
import { accountKey } from '../../src/core/books.ts';
import type { Scope } from '../../src/core/identity.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { noUsage } from '../../src/core/usage.ts';

/* Rows for the contract suites: complete, and different only where a test says so. */

export function requestRecord(id: string, changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id,
    operation: 'chat',
    dialect: 'openai-chat',
    path: '/v1/chat/completions',
    status: 'success',
    httpStatus: 200,
    errorCode: null,
    errorMessage: null,
    keyId: null,
    keyAlias: null,
    userId: null,
    teamId: null,
    organizationId: null,
    endUserId: null,
    tags: [],
    sessionId: null,
    traceId: null,
    clientAddress: null,
    modelAsked: 'model-a',
    modelGroup: 'model-a',
    deploymentId: 'deployment-1',
    provider: 'acme',
    modelUsed: 'model-a-1',
    apiBase: 'https://api.example.com',
    stream: false,
    cacheHit: false,
    cacheKey: null,
    usage: { ...noUsage },
    cost: 0,
    bound: 0,
    priceSource: null,
    startedAt: 1_700_000_000_000,
    firstTokenAt: null,
    endedAt: 1_700_000_001_000,
    overheadMs: 0.5,
    attempts: [],
    finishReason: 'stop',
    metadata: {},
    requestText: null,
    responseText: null,
    ...changes,
  };
}

export function account(scope: Scope, id: string, changes: Partial<AccountSpec> = {}): AccountSpec {
  const spec = { scope, id, model: '', duration: '', windowStart: 0, cap: null, ...changes };
  return { ...spec, key: accountKey(scope, id, spec.model, spec.duration) };
}

export function entry(spec: AccountSpec, delta: number, leaseReturn = 0): AccountEntry {
  return { ...spec, delta, leaseReturn };
}
