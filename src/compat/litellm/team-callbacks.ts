import { z } from 'zod';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { isSealed } from '../../admin/encryption.ts';
import { mutate } from '../../admin/resource.ts';
import { teamResource } from '../../admin/team.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { TeamRecord } from '../../core/store.ts';

const tag = 'teams';
const callbackBody = z.object({
  callback_name: z.string().min(1).max(64),
  callback_type: z.enum(['success', 'failure', 'success_and_failure']).nullish(),
  callback_vars: z.record(z.string().max(64), z.string().max(4_096)).nullish(),
});
const shownCallbacks = z.object({
  status: z.literal('success'),
  message: z.string().optional(),
  data: z.object({
    team_id: z.string(),
    success_callbacks: z.array(z.string()),
    failure_callbacks: z.array(z.string()),
    /** Names of variables; what may be a credential is not shown. */
    callback_vars: z.record(z.string(), z.unknown()),
  }),
});

/** Where a team's requests are told to beside the gateway's own sinks. */
export function teamCallbackEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /team/{team_id}/callback', {
      access: 'self_service',
      tag,
      summary: 'Sinks of a team’s own.',
      response: shownCallbacks,
      async run({ actor, params }) {
        const row = await plane.store.teams.get(params.team_id!);
        if (row === undefined) throw notFound('team', params.team_id!);
        authorize(actor, 'read', teamResource.ownership(row));
        return { status: 'success' as const, data: callbacksOf(row) };
      },
    }),
    endpoint('POST /team/{team_id}/callback', {
      access: 'self_service',
      tag,
      summary: 'Give a team a sink of its own, or another one of the same name.',
      body: callbackBody,
      response: shownCallbacks,
      async run({ actor, body, params }) {
        const rule: JsonObject = {
          callback_name: body.callback_name,
          callback_type: body.callback_type ?? 'success_and_failure',
          callback_vars: body.callback_vars ?? {},
        };
        const row = await changeMetadata(plane, actor, params.team_id!, ({ disable_logging: _, ...metadata }) => ({
          ...metadata,
          logging: [...rulesIn(metadata).filter((one) => one.callback_name !== body.callback_name), rule],
        }));
        return { status: 'success' as const, data: callbacksOf(row) };
      },
    }),
    endpoint('POST /team/{team_id}/disable_logging', {
      access: 'self_service',
      tag,
      summary: 'Tell no sink of this team’s requests; rows and metrics stay.',
      response: shownCallbacks,
      async run({ actor, params }) {
        const row = await changeMetadata(plane, actor, params.team_id!, ({ logging: _, ...metadata }) => ({
          ...metadata,
          disable_logging: true,
        }));
        return {
          status: 'success' as const,
          message: `Logging disabled for team ${params.team_id}`,
          data: callbacksOf(row),
        };
      },
    }),
  ];
}

function changeMetadata(
  plane: ControlPlane,
  actor: Parameters<typeof mutate>[1],
  teamId: string,
  change: (metadata: JsonObject) => JsonObject,
): Promise<TeamRecord> {
  return mutate(plane, actor, async (work) => {
    const team = await work.repositories.teams.get(teamId);
    if (team === undefined) throw notFound('team', teamId);
    return work.update(teamResource, teamId, { metadata: change(team.metadata) });
  });
}

function rulesIn(metadata: JsonObject): JsonObject[] {
  return Array.isArray(metadata.logging) ? metadata.logging.filter(isJsonObject) : [];
}

function callbacksOf({ id, metadata }: TeamRecord) {
  const rules = rulesIn(metadata);
  const hearing = (type: string) =>
    rules.filter((rule) => rule.callback_type !== type).map((rule) => String(rule.callback_name));
  const vars: JsonObject = {};
  for (const { callback_vars: own } of rules) {
    if (!isJsonObject(own)) continue;
    for (const name in own) vars[name] = isSealedText(own[name]) ? '[redacted]' : own[name];
  }
  return {
    team_id: id,
    success_callbacks: hearing('failure'),
    failure_callbacks: hearing('success'),
    callback_vars: vars,
  };
}

function isSealedText(value: unknown): boolean {
  return typeof value === 'string' && isSealed(value);
}
