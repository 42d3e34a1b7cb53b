import type { Admitted } from '../../core/exchange.ts';
import type { DispatchNote } from '../../core/ports.ts';
import type { Target } from './translate.ts';

/** What must be on record of a request before its first byte leaves. */
export function noteOf(exchange: Admitted, target: Pick<Target, 'deployment' | 'group' | 'model'>): DispatchNote {
  const { principal } = exchange;
  return {
    id: exchange.id,
    operation: exchange.operation,
    dialect: exchange.dialect.name,
    path: exchange.path,
    keyId: principal.keyId,
    keyAlias: principal.keyAlias,
    userId: principal.userId,
    teamId: principal.teamId,
    organizationId: principal.organizationId,
    endUserId: exchange.endUserId,
    tags: exchange.tags,
    modelAsked: exchange.facts.model ?? null,
    modelGroup: target.group,
    deploymentId: target.deployment.id,
    provider: target.deployment.provider.id,
    modelUsed: target.model,
    stream: exchange.facts.stream,
    startedAt: exchange.receivedAt,
  };
}
