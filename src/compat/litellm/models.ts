import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { modelResource } from '../../admin/model.ts';
import type { Mutation } from '../../admin/resource.ts';
import { mutate } from '../../admin/resource.ts';
import { openParams, sealParams } from '../../admin/sealed-params.ts';
import { settingResource } from '../../admin/setting.ts';
import { publicParams } from '../../config/public-params.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ModelRecord } from '../../core/store.ts';
import { suspensionPrefix } from '../../core/suspension.ts';
import { identifier, isoTime, label, tree } from './fields.ts';

const tag = 'models';

const storedModel = z.object({
  model_id: z.string(),
  model_name: z.string(),
  litellm_params: z.record(z.string(), z.unknown()),
  model_info: z.record(z.string(), z.unknown()),
  blocked: z.boolean(),
  created_at: z.string().nullable(),
  created_by: z.string().nullable(),
  updated_at: z.string().nullable(),
  updated_by: z.string().nullable(),
});

const changeBody = z.object({
  model_name: label.min(1).nullish(),
  litellm_params: tree.nullish(),
  model_info: tree.nullish(),
});
type ChangeBody = z.output<typeof changeBody>;

/** Deployments kept in the store: they serve as soon as the call is answered. */
export function modelEndpoints(plane: ControlPlane): Endpoint[] {
  async function change(actor: Parameters<typeof mutate>[1], id: string, body: ChangeBody) {
    const row = await mutate(plane, actor, async (work) => {
      const old = await mustFind(work, id);
      const modelName = body.model_name ?? old.modelName;
      const params = { ...old.params, ...sealParams(withoutNulls(body.litellm_params), plane.vault, id) };
      for (const [name, value] of Object.entries(body.litellm_params ?? {})) if (value === null) delete params[name];
      const modelInfo = { ...old.modelInfo, ...body.model_info, id };
      refuseFaulty(plane, modelName, openParams(params, plane.vault, id), modelInfo);
      return work.update(modelResource, id, { modelName, params, modelInfo });
    });
    await plane.reloadModels();
    return shownModel(row);
  }

  const setBlocked = (blocked: boolean) =>
    endpoint(`POST /model/${blocked ? 'block' : 'unblock'}`, {
      access: 'admin',
      tag,
      summary: blocked ? 'Send nothing to a stored deployment.' : 'Use a blocked deployment again.',
      body: z.object({ id: identifier.nullish(), model_id: identifier.nullish() }),
      response: storedModel,
      async run({ actor, body }) {
        const id = body.id ?? body.model_id;
        if (!id) throw new GatewayError('malformed_request', 'id is required.', { param: 'id' });
        const row = await mutate(plane, actor, async (work) => {
          await mustFind(work, id);
          return work.update(modelResource, id, { blocked }, blocked ? 'blocked' : 'unblocked');
        });
        await plane.reloadModels();
        return shownModel(row);
      },
    });

  return [
    endpoint('POST /model/new', {
      access: 'admin',
      tag,
      summary: 'Add a deployment; credentials are stored encrypted.',
      body: z.object({ model_name: label.min(1), litellm_params: tree, model_info: tree.nullish() }),
      response: storedModel,
      async run({ actor, body }) {
        if (!plane.settings.storeModelsInDatabase)
          throw new GatewayError(
            'malformed_request',
            'Models are not stored in the database: set general_settings.store_model_in_db to true.',
          );
        const wanted = body.model_info?.id;
        const id = typeof wanted === 'string' && wanted !== '' ? wanted : plane.chance.id();
        if (plane.snapshot().deployments.has(id))
          throw new GatewayError('malformed_request', `A deployment with id ${id} exists already.`, {
            param: 'model_info.id',
          });
        const modelInfo = { ...body.model_info, id };
        refuseFaulty(plane, body.model_name, body.litellm_params, modelInfo);
        const row = await mutate(plane, actor, (work) =>
          work.create(modelResource, {
            id,
            modelName: body.model_name,
            params: sealParams(body.litellm_params, plane.vault, id),
            modelInfo,
            blocked: false,
            extra: {},
          }),
        );
        await plane.reloadModels();
        return shownModel(row);
      },
    }),
    endpoint('POST /model/update', {
      access: 'admin',
      tag,
      summary: 'Change a stored deployment: what is given is merged in, null removes.',
      body: z.object({ ...changeBody.shape, model_id: identifier.nullish() }),
      response: storedModel,
      run({ actor, body }) {
        const id = body.model_id ?? body.model_info?.id;
        if (typeof id !== 'string' || id === '')
          throw new GatewayError('malformed_request', 'model_info.id is required.', { param: 'model_info.id' });
        return change(actor, id, body);
      },
    }),
    endpoint('PATCH /model/{model_id}/update', {
      access: 'admin',
      tag,
      summary: 'Change a stored deployment.',
      body: changeBody,
      response: storedModel,
      run: ({ actor, body, params }) => change(actor, params.model_id!, body),
    }),
    endpoint('POST /model/resume', {
      access: 'admin',
      tag,
      summary:
        'End the suspension of a deployment that broke an upper bound: it serves callers with hard budgets again.',
      body: z.object({ id: identifier }),
      response: z.object({ message: z.string() }),
      async run({ actor, body }) {
        const id = suspensionPrefix + body.id;
        await mutate(plane, actor, async (work) => {
          if ((await work.remove(settingResource, [id])).length === 0) throw notFound('suspension', body.id);
        });
        await plane.suspended.reload();
        return { message: `Model: ${body.id} resumed` };
      },
    }),
    endpoint('POST /model/delete', {
      access: 'admin',
      tag,
      summary: 'Remove a stored deployment.',
      body: z.object({ id: identifier }),
      response: z.object({ message: z.string() }),
      async run({ actor, body }) {
        await mutate(plane, actor, async (work) => {
          await mustFind(work, body.id);
          return work.remove(modelResource, [body.id]);
        });
        await plane.reloadModels();
        return { message: `Model: ${body.id} deleted successfully` };
      },
    }),
    setBlocked(true),
    setBlocked(false),
  ];
}

async function mustFind(work: Mutation, id: string): Promise<ModelRecord> {
  const row = await work.repositories.models.get(id);
  if (row === undefined)
    throw new GatewayError(
      'not_found',
      `${notFound('model', id).message} Only models added through this API can be changed here, not those of the config file.`,
    );
  return row;
}

function refuseFaulty(plane: ControlPlane, name: string, params: JsonObject, info: JsonObject): void {
  const fault = plane.modelFault({ model_name: name, litellm_params: params, model_info: info });
  if (fault !== null) throw new GatewayError('malformed_request', fault, { param: 'litellm_params' });
}

function withoutNulls(params: JsonObject | null | undefined): JsonObject {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([, value]) => value !== null));
}

function shownModel(row: ModelRecord) {
  return {
    model_id: row.id,
    model_name: row.modelName,
    litellm_params: publicParams(row.params),
    model_info: { ...row.modelInfo, id: row.id, db_model: true },
    blocked: row.blocked,
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
  };
}
