import type { BatchAnswer } from '../../core/batch-desk.ts';
import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Admitted, Outcome } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { admit } from '../admit.ts';
import { errorOfStatus } from '../call/provider-error.ts';
import { answerOptions } from '../call/translate.ts';
import { wholeAnswer } from '../call/whole-answer.ts';
import { answeredBySession } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { amountAt } from '../limits/estimate.ts';
import { record } from '../record.ts';
import { settle } from '../settle.ts';
import type { Batch } from './batch.ts';
import type { OpenDesk } from './desk.ts';
import type { BatchWork } from './lines.ts';
import { plannedLine } from './prepare.ts';
import { recordOfWork } from './record.ts';
import type { SetAside } from './set-aside.ts';

/** Service tier under which the price knows what a batch costs. */
const batchTier = 'batch';

export interface LineResult {
  readonly status: number;
  readonly body: JsonObject;
}

export interface SettlingLine {
  readonly batch: Batch;
  readonly work: BatchWork;
  readonly money: SetAside;
  readonly bounds: readonly { readonly model: string; readonly bound: number }[];
  readonly open: OpenDesk;
  readonly answer: BatchAnswer | LostAnswer;
}

/** Bought, perhaps, and not to be had. */
export interface LostAnswer {
  readonly index: number;
  readonly lost: GatewayError;
}

/**
 * A request of a batch whose answer the provider has given: it makes the rest of its journey, with a hold and a row of its
 * own. Its id follows from its place, so that a second time changes nothing.
 */
export async function settleLine(gateway: Gateway, settling: SettlingLine): Promise<LineResult> {
  const { batch, work, money, bounds, open, answer } = settling;
  const { model, bound } = bounds[answer.index]!;
  const id = lineId(batch, answer.index);
  const funds = { isSpent: true, ...money.funds(model, bound) };
  let admitted: Admitted;
  try {
    const line = work.lines[answer.index]!;
    admitted = await admit(gateway, await plannedLine(gateway, batch.keyId, work, line, { id, funds }));
  } catch (cause) {
    const error = asGatewayError(cause);
    // A store that is away comes back.
    if (error.status >= 500) throw error;
    return orphaned(gateway, settling, error);
  }
  const { deployment, dialect } = open;
  const { secrets } = admitted.snapshot;
  let result: LineResult;
  let error: GatewayError | null = null;
  let usage: Usage = noUsage;
  let finishReason: string | null = null;
  let modelUsed: string | null = null;
  let charged = 0;
  try {
    if ('lost' in answer) {
      charged = amountAt(admitted, deployment);
      throw answer.lost;
    }
    const bytes = Buffer.from(JSON.stringify(answer.body));
    if (answer.status !== 200) {
      const facts = dialect.errors.decode(answer.status, bytes);
      throw errorOfStatus(deployment.provider, answer.status, {}, facts, secrets, gateway.clock.now());
    }
    const source = { target: { deployment, dialect }, status: 200, headers: {}, secrets: () => secrets };
    const told = wholeAnswer(admitted, source, bytes, answerOptions(admitted, false));
    result = { status: 200, body: JSON.parse(Buffer.from(told.bytes).toString()) };
    // Nobody said what it came to: it costs its bound.
    if (told.facts.usage === undefined) charged = amountAt(admitted, deployment);
    else usage = { ...told.facts.usage, serviceTier: batchTier };
    finishReason = told.facts.finishReason;
    modelUsed = told.facts.model ?? null;
  } catch (cause) {
    error = asGatewayError(cause);
    result = { status: error.status, body: admitted.dialect.errors.encode(error, id) };
  }
  const now = gateway.clock.now();
  const group = admitted.route.primary.name;
  const outcome: Outcome = {
    kind: error === null ? 'success' : 'failure',
    usage,
    attempts: [
      {
        deploymentId: deployment.id,
        group,
        provider: deployment.provider.id,
        model: modelUsed ?? deployment.model,
        startedAt: batch.createdAt,
        durationMs: now - batch.createdAt,
        status: 'lost' in answer ? null : answer.status,
        result: error?.code ?? 'success',
        ambiguous: charged > 0,
        charged,
      },
    ],
    deployment,
    group,
    modelUsed,
    cacheHit: false,
    cacheKey: null,
    error,
    httpStatus: result.status,
    finishReason,
    firstTokenAt: null,
    endedAt: now,
    upstreamMs: 0,
    ambiguousCost: charged,
    responseText: null,
  };
  const { settled } = settle(gateway, answeredBySession(admitted, outcome), outcome);
  record(gateway, settled);
  return result;
}

/** Its key is gone or blocked: it was bought all the same, and that is on record. */
function orphaned(gateway: Gateway, { batch, open, answer, bounds }: SettlingLine, error: GatewayError): LineResult {
  const { deployment, dialect } = open;
  const id = lineId(batch, answer.index);
  const isBought = 'lost' in answer || answer.status === 200;
  const row: RequestRecord = {
    ...recordOfWork(batch, id, gateway.clock.now()),
    deploymentId: deployment.id,
    provider: deployment.provider.id,
    modelUsed: deployment.model,
    cost: isBought ? bounds[answer.index]!.bound : 0,
    usage: 'body' in answer && isBought ? (dialect.response.read(answer.body).usage ?? noUsage) : noUsage,
  };
  gateway.ledger.record(row);
  gateway.log.error('an answer of a batch belongs to nobody any more; it is on record at its bound', {
    batchId: batch.id,
    requestId: id,
    reason: error.code,
  });
  return { status: error.status, body: open.dialect.errors.encode(error, id) };
}

function lineId(batch: Batch, index: number): string {
  return `${batch.id}-${index}`;
}
