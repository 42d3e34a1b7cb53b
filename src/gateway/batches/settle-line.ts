import type { BatchAnswer } from '../../core/batch-desk.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
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
import { chargeHolder } from './charge-holder.ts';
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

/** What is set aside for a request, under the name of its model. */
export interface LineBound {
  readonly model: string;
  readonly bound: number;
  /** What was when it was handed to its provider, by an earlier process. */
  readonly held?: number;
}

export interface SettlingLine {
  readonly batch: Batch;
  readonly work: BatchWork;
  readonly money: SetAside;
  readonly bounds: readonly LineBound[];
  /** null where its provider cannot be asked any more. */
  readonly open: OpenDesk | null;
  readonly answer: BatchAnswer | LostAnswer;
}

/** Bought, perhaps, and not to be had. */
export interface LostAnswer {
  readonly index: number;
  readonly lost: GatewayError;
  /** Its provider counts it as failed: it was not bought. */
  readonly isFree?: true;
}

/**
 * A request of a batch whose answer the provider has given: it makes the rest of its journey, with a hold and a row of its
 * own. Its id follows from its place, so that a second time changes nothing.
 */
export async function settleLine(gateway: Gateway, settling: SettlingLine): Promise<LineResult> {
  const { batch, work, money, bounds, open, answer } = settling;
  const { model, bound, held = bound } = bounds[answer.index]!;
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
  const { secrets } = admitted.snapshot;
  let result: LineResult;
  let error: GatewayError | null = null;
  let usage: Usage = noUsage;
  let finishReason: string | null = null;
  let modelUsed: string | null = null;
  let charged = 0;
  try {
    if ('lost' in answer && answer.isFree) throw answer.lost;
    if ('lost' in answer || open === null) {
      charged = open === null ? held : amountAt(admitted, open.deployment);
      usage = { ...noUsage, estimated: true };
      throw 'lost' in answer ? answer.lost : new GatewayError('internal', 'an answer from nowhere');
    }
    const { deployment, dialect } = open;
    const bytes = Buffer.from(JSON.stringify(answer.body));
    if (answer.status !== 200) {
      const facts = dialect.errors.decode(answer.status, bytes);
      throw errorOfStatus(deployment.provider, answer.status, {}, facts, secrets, gateway.clock.now());
    }
    const source = { target: { deployment, dialect }, status: 200, headers: {}, secrets: () => secrets };
    const told = wholeAnswer(admitted, source, bytes, answerOptions(admitted, false));
    result = { status: 200, body: JSON.parse(Buffer.from(told.bytes).toString()) };
    // Nobody said what it came to: it costs its bound.
    if (told.facts.usage === undefined) {
      charged = amountAt(admitted, deployment);
      usage = { ...noUsage, estimated: true };
    } else usage = { ...told.facts.usage, serviceTier: batchTier };
    finishReason = told.facts.finishReason;
    modelUsed = told.facts.model ?? null;
  } catch (cause) {
    error = asGatewayError(cause);
    result = { status: error.status, body: admitted.dialect.errors.encode(error, id) };
  }
  const now = gateway.clock.now();
  const deployment = open?.deployment ?? null;
  const group = admitted.route.primary.name;
  const outcome: Outcome = {
    kind: error === null ? 'success' : 'failure',
    usage,
    attempts: [
      {
        deploymentId: deployment?.id ?? batch.remote?.deploymentId ?? '',
        group,
        provider: deployment?.provider.id ?? '',
        model: modelUsed ?? deployment?.model ?? model,
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

/**
 * Its key is gone or blocked, or its model is not there any more: it was bought all the same. That is on record, and on the
 * accounts of its key as far as there is one.
 */
async function orphaned(gateway: Gateway, settling: SettlingLine, error: GatewayError): Promise<LineResult> {
  const { batch, work, open, answer } = settling;
  const { model, bound, held = bound } = settling.bounds[answer.index]!;
  const id = lineId(batch, answer.index);
  const isBought = 'lost' in answer ? !answer.isFree : answer.status === 200;
  const usage = ('body' in answer ? open?.dialect.response.read(answer.body).usage : undefined) ?? noUsage;
  const row: RequestRecord = {
    ...recordOfWork(batch, id, gateway.clock.now()),
    modelAsked: model === '' ? null : model,
    deploymentId: open?.deployment.id ?? batch.remote?.deploymentId ?? null,
    provider: open?.deployment.provider.id ?? null,
    modelUsed: open?.deployment.model ?? null,
    bound: held,
    cost: isBought ? held : 0,
    usage: isBought ? { ...usage, estimated: true } : noUsage,
  };
  await chargeHolder(gateway, batch.keyId, model, row);
  gateway.log.error('an answer of a batch belongs to nobody any more; it is on record at its bound', {
    batchId: batch.id,
    requestId: id,
    reason: error.code,
  });
  const told = 'lost' in answer ? answer.lost : error;
  return { status: told.status, body: gateway.dialects.get(work.matched.route.dialect)!.errors.encode(told, id) };
}

function lineId(batch: Batch, index: number): string {
  return `${batch.id}-${index}`;
}
