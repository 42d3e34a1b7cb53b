import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { isAdministrator, seesEverything } from '../../admin/actor.ts';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { visibleModels } from '../../admin/visible-models.ts';
import type { Deployment } from '../../core/route.ts';
import { anthropicList, anthropicModel, anthropicPage, anthropicPaging, shownToAnthropic } from './anthropic-models.ts';
import { flag, page, pageSize } from './fields.ts';
import { asGoogleLists, googleList, googleModel, googlePage, googlePaging, isGoogleClient } from './google-models.ts';
import { modelGroupOutput, shownModelGroup } from './model-group.ts';
import {
  asCohereLists,
  cohereAnswer,
  cohereList,
  coherePage,
  coherePaging,
  isCohereClient,
  mistralModelEndpoints,
} from './vendor-models.ts';

const tag = 'models';
/** The moment LiteLLM gives every model; clients have it in their recorded answers. */
const createdAt = 1_677_610_602;

const listedModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number(),
  owned_by: z.string(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

const modelInfoOutput = z.object({
  model_name: z.string(),
  litellm_params: z.record(z.string(), z.unknown()),
  model_info: z.record(z.string(), z.unknown()),
});

export function modelReadEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /v1/models', {
      aliases: ['/models'],
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Models that the key of this call may use.',
      query: z.object({
        return_wildcard_routes: flag.optional(),
        include_model_access_groups: flag.optional(),
        only_model_access_groups: flag.optional(),
        include_metadata: flag.optional(),
        fallback_type: z.enum(['general', 'context_window', 'content_policy']).default('general'),
        healthy_only: flag.optional(),
        team_id: z.string().optional(),
        ...anthropicPaging,
        ...googlePaging,
        ...coherePaging,
      }),
      response: z.union([
        z.object({ data: z.array(listedModel), object: z.literal('list') }),
        anthropicList,
        cohereList,
        googleList,
      ]),
      run({ actor, query, headers }) {
        if (isGoogleClient(headers)) return googlePage(visibleModels(plane, actor.principal, false), query);
        if (headers['anthropic-version'] !== undefined) {
          return anthropicPage(
            visibleModels(plane, actor.principal, false).map(({ name }) => name),
            query,
          );
        }
        if (isCohereClient(headers)) return coherePage(visibleModels(plane, actor.principal, false), query);
        const now = plane.clock.now();
        const works = (deployment: Deployment) =>
          deployment.unusable === null &&
          !deployment.blocked &&
          !((plane.condition(deployment).coolingDownUntil ?? 0) > now);
        const models = query.only_model_access_groups
          ? []
          : visibleModels(plane, actor.principal, query.return_wildcard_routes === true)
              .filter((model) => !query.healthy_only || model.deployments.some(works))
              .map((model) => ({
                ...listed(model.name),
                ...(query.include_metadata
                  ? { metadata: { fallbacks: fallbacksOf(plane, model.name, query.fallback_type) } }
                  : {}),
              }));
        const withGroups = query.include_model_access_groups || query.only_model_access_groups;
        return { data: [...models, ...(withGroups ? accessGroups(plane, actor) : [])], object: 'list' };
      },
    }),
    endpoint('GET /v1/models/{id*}', {
      aliases: ['/models/{id*}'],
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'One model that the key of this call may use.',
      response: z.union([listedModel, anthropicModel, cohereAnswer, googleModel]),
      run({ actor, params, headers }) {
        const id = params.id!;
        const model = visibleModels(plane, actor.principal, true).find(({ name }) => name === id);
        if (model === undefined) throw notFound('model', id);
        if (isGoogleClient(headers)) return asGoogleLists(model);
        if (isCohereClient(headers)) return asCohereLists(model);
        return headers['anthropic-version'] === undefined ? listed(id) : shownToAnthropic(id);
      },
    }),
    endpoint('GET /v1beta/models', {
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Models that the key of this call may use, as Google lists them.',
      query: z.object(googlePaging),
      response: googleList,
      run: ({ actor, query }) => googlePage(visibleModels(plane, actor.principal, false), query),
    }),
    endpoint('GET /v1beta/models/{id*}', {
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'One model that the key of this call may use, as Google tells it.',
      response: googleModel,
      run({ actor, params }) {
        const id = params.id!;
        const model = visibleModels(plane, actor.principal, true).find(({ name }) => name === id);
        if (model === undefined) throw notFound('model', id);
        return asGoogleLists(model);
      },
    }),
    ...mistralModelEndpoints(plane),
    endpoint('GET /model/info', {
      aliases: ['/v1/model/info'],
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'Deployments behind the models of this key, without credentials.',
      query: z.object({ litellm_model_id: z.string().optional() }),
      response: z.object({ data: z.array(modelInfoOutput) }),
      run({ actor, query }) {
        const all = deployments(plane, actor);
        const wanted = query.litellm_model_id;
        const data = wanted === undefined ? all : all.filter((entry) => entry.model_info.id === wanted);
        if (wanted !== undefined && data.length === 0) throw notFound('model', wanted);
        return { data };
      },
    }),
    endpoint('GET /v2/model/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'Deployments behind the models of this key, a page at a time.',
      query: z.object({
        page: page.default(1),
        size: pageSize.default(50),
        search: z.string().optional(),
        model: z.string().optional(),
        modelId: z.string().optional(),
      }),
      response: z.object({
        data: z.array(modelInfoOutput),
        total_count: z.number(),
        current_page: z.number(),
        total_pages: z.number(),
        size: z.number(),
      }),
      run({ actor, query }) {
        const found = deployments(plane, actor).filter(
          (entry) =>
            (query.model === undefined || entry.model_name === query.model) &&
            (query.modelId === undefined || entry.model_info.id === query.modelId) &&
            (query.search === undefined || entry.model_name.toLowerCase().includes(query.search.toLowerCase())),
        );
        return {
          data: found.slice((query.page - 1) * query.size, query.page * query.size),
          total_count: found.length,
          current_page: query.page,
          total_pages: Math.ceil(found.length / query.size),
          size: query.size,
        };
      },
    }),
    endpoint('GET /model_group/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'What each public model can do and costs, over all its deployments.',
      query: z.object({ model_group: z.string().optional() }),
      response: z.object({ data: z.array(modelGroupOutput) }),
      run({ actor, query }) {
        const models = visibleModels(plane, actor.principal, true).filter(
          (model) => query.model_group === undefined || model.name === query.model_group,
        );
        if (query.model_group !== undefined && models.length === 0) throw notFound('model', query.model_group);
        return { data: models.map((model) => shownModelGroup(plane, model)) };
      },
    }),
  ];
}

function listed(id: string) {
  return { id, object: 'model' as const, created: createdAt, owned_by: 'openai' };
}

function accessGroups(plane: ControlPlane, actor: Actor) {
  const names = [...plane.snapshot().accessGroups.keys()];
  const own = new Set(actor.principal.modelAccess.flatMap((rule) => rule.models));
  return names.filter((name) => seesEverything(actor) || own.has(name)).map(listed);
}

function fallbacksOf(plane: ControlPlane, model: string, type: 'general' | 'context_window' | 'content_policy') {
  const { router } = plane.snapshot();
  const map = {
    general: router.fallbacks,
    context_window: router.contextWindowFallbacks,
    content_policy: router.contentPolicyFallbacks,
  }[type];
  return map.get(model) ?? map.get('*') ?? [];
}

/** Addresses are for administrators: a tenant sees what a model is, not where. */
function deployments(plane: ControlPlane, actor: Actor) {
  const whole = isAdministrator(actor) || seesEverything(actor);
  return visibleModels(plane, actor.principal, true).flatMap((model) =>
    model.deployments.map((deployment) => ({
      model_name: model.name,
      litellm_params: whole
        ? deployment.publicParams
        : { model: deployment.publicParams.model ?? `${deployment.provider.id}/${deployment.model}` },
      model_info: {
        ...deployment.modelInfo,
        id: deployment.id,
        db_model: deployment.fromDatabase,
        key: deployment.model,
        blocked: deployment.blocked,
      },
    })),
  );
}
