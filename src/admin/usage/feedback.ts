import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FeedbackRecord } from '../../core/store.ts';
import type { Actor } from '../actor.ts';
import { seesEverything } from '../actor.ts';
import { notFound } from '../authorize.ts';
import type { Endpoint } from '../contract.ts';
import { endpoint } from '../contract.ts';
import type { ControlPlane } from '../control-plane.ts';

const tag = 'usage';
const atOnceMax = 100;
const metadataTextMax = 128;

const value = z.number().min(-10).max(10).describe('-10 to 10');
const weight = z.number().nullish().describe('0 to 1; 1 when left out or not in that range');
const metadata = z.record(z.string(), z.unknown()).nullish();
const one = z.object({ trace_id: z.string().min(1).max(512), value, weight, metadata });

const shownOutput = z.object({
  id: z.string(),
  trace_id: z.string(),
  value: z.number(),
  weight: z.number(),
  metadata: z.record(z.string(), z.unknown()),
  created_at: z.string(),
});

/** Scores of traces: a trace is what requests name in `x-litellm-trace-id`, or the id of one request. */
export function feedbackEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('POST /v1/feedback', {
      aliases: ['/feedback'],
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Say what an answer was worth: one score, or a list of them.',
      body: z.preprocess((given) => [given].flat(), z.array(one).min(1).max(atOnceMax)),
      response: z.object({ status: z.string(), message: z.string(), feedback_ids: z.array(z.string()) }),
      async run({ actor, body }) {
        const rows = body.map(
          (given): FeedbackRecord => ({
            id: plane.chance.id(),
            at: plane.clock.now(),
            traceId: given.trace_id,
            value: given.value,
            weight: usableWeight(given.weight),
            metadata: shortened(given.metadata ?? {}),
            keyId: actor.principal.keyId,
            userId: actor.principal.userId,
            teamId: actor.principal.teamId,
          }),
        );
        await plane.store.transaction(async ({ feedback }) => {
          for (const row of rows) await feedback.insert(row);
        });
        return {
          status: 'success',
          message: 'Feedback successfully saved',
          feedback_ids: rows.map((row) => row.id),
        };
      },
    }),
    endpoint('PUT /v1/feedback/{id}', {
      aliases: ['/feedback/{id}'],
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Change a score of one’s own.',
      body: z.object({ value, weight, metadata }),
      response: z.object({ status: z.string(), message: z.string(), feedback_ids: z.array(z.string()) }),
      async run({ actor, body, params }) {
        const row = await plane.store.feedback.get(params.id!);
        if (row === undefined || !maySee(actor, row)) throw notFound('feedback', params.id!);
        if (row.keyId !== actor.principal.keyId && actor.role !== 'proxy_admin')
          throw new GatewayError('route_denied', 'Only the key that gave this feedback may change it.');
        await plane.store.feedback.update(row.id, {
          value: body.value,
          ...(body.weight === undefined ? {} : { weight: usableWeight(body.weight) }),
          ...(body.metadata === undefined ? {} : { metadata: shortened(body.metadata ?? {}) }),
        });
        return { status: 'success', message: 'Feedback successfully updated', feedback_ids: [row.id] };
      },
    }),
    endpoint('GET /v1/feedback', {
      aliases: ['/feedback'],
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'Scores of one trace with their weighted mean.',
      query: z.object({ trace_id: z.string().min(1).max(512) }),
      response: z.object({
        trace_id: z.string(),
        count: z.number(),
        weighted_mean: z.number().nullable(),
        feedback: z.array(shownOutput),
      }),
      async run({ actor, query }) {
        const rows = await feedbackOn(plane, actor, [query.trace_id]);
        const weights = rows.reduce((sum, row) => sum + row.weight, 0);
        const weighted = rows.reduce((sum, row) => sum + row.value * row.weight, 0);
        return {
          trace_id: query.trace_id,
          count: rows.length,
          weighted_mean: weights === 0 ? null : weighted / weights,
          feedback: rows.map(shownFeedback),
        };
      },
    }),
  ];
}

/** What was said of these traces, as far as an actor may see it: its own, or all. Oldest first. */
export async function feedbackOn(
  plane: ControlPlane,
  actor: Actor,
  traces: readonly string[],
): Promise<FeedbackRecord[]> {
  const rows = await plane.store.feedback.list({ where: { traceId: traces }, orderBy: 'at', limit: 1_000 });
  return rows.filter((row) => maySee(actor, row));
}

export function shownFeedback(row: FeedbackRecord) {
  return {
    id: row.id,
    trace_id: row.traceId,
    value: row.value,
    weight: row.weight,
    metadata: row.metadata,
    created_at: new Date(row.at).toISOString(),
  };
}

export const feedbackOutput = z.array(shownOutput);

function maySee(actor: Actor, row: FeedbackRecord): boolean {
  const { keyId, userId } = actor.principal;
  if (seesEverything(actor) || row.keyId === keyId) return true;
  if (row.userId !== null && row.userId === userId) return true;
  return row.teamId !== null && actor.teamsAdministered.has(row.teamId);
}

function usableWeight(given: number | null | undefined): number {
  return typeof given === 'number' && given >= 0 && given <= 1 ? given : 1;
}

/** Names and texts are cut to what can be searched. */
function shortened(given: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(given)
      .slice(0, 50)
      .map(([name, entry]) => [
        name.slice(0, metadataTextMax),
        (typeof entry === 'string' ? entry : JSON.stringify(entry ?? null)).slice(0, metadataTextMax),
      ]),
  );
}
