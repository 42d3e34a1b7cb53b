import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import { type Endpoint, endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { type VisibleModel, visibleModels } from '../../admin/visible-models.ts';
import { maximumInput } from './model-limits.ts';

/* The list of models as the clients of Mistral and of Cohere read it. */

const mistralModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number(),
  owned_by: z.string(),
  type: z.literal('base'),
  capabilities: z.record(z.string(), z.boolean()),
  max_context_length: z.number().optional(),
});

const common = { access: 'any_key', group: 'llm_api_routes', tag: 'models' } as const;

/** https://docs.mistral.ai/api/#tag/models, where that client finds the rest. */
export function mistralModelEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /mistral-api/v1/models', {
      ...common,
      summary: 'Models that the key of this call may use, as Mistral lists them.',
      response: z.object({ object: z.literal('list'), data: z.array(mistralModel) }),
      run: ({ actor }) => ({
        object: 'list' as const,
        data: visibleModels(plane, actor.principal, false).map(asMistralLists),
      }),
    }),
    endpoint('GET /mistral-api/v1/models/{id*}', {
      ...common,
      summary: 'One model that the key of this call may use, as Mistral tells it.',
      response: mistralModel,
      run({ actor, params }) {
        const model = visibleModels(plane, actor.principal, true).find(({ name }) => name === params.id);
        if (model === undefined) throw notFound('model', params.id!);
        return asMistralLists(model);
      },
    }),
  ];
}

function asMistralLists(model: VisibleModel): z.infer<typeof mistralModel> {
  const { name, deployments } = model;
  const most = maximumInput(model);
  const chats = deployments.some(({ operations }) => operations.includes('chat'));
  const can = (capability: 'tools' | 'vision') =>
    chats && deployments.some(({ capabilities }) => capabilities[capability] !== false);
  return {
    id: name,
    object: 'model',
    created: 1_677_610_602,
    owned_by: 'tollgate',
    type: 'base',
    capabilities: {
      completion_chat: chats,
      completion_fim: false,
      function_calling: can('tools'),
      fine_tuning: false,
      vision: can('vision'),
      classification: false,
    },
    ...(most === undefined ? {} : { max_context_length: most }),
  };
}

const cohereModel = z.object({
  name: z.string(),
  endpoints: z.array(z.string()),
  finetuned: z.boolean(),
  context_length: z.number().optional(),
  default_endpoints: z.array(z.string()),
});
export const cohereList = z.object({ models: z.array(cohereModel), next_page_token: z.string().optional() });
export const cohereAnswer = cohereModel;

/** Its paths are OpenAI's: it is known by its name. */
export function isCohereClient(headers: IncomingHttpHeaders): boolean {
  const name = headers['x-fern-sdk-name'];
  return typeof name === 'string' && name.startsWith('cohere');
}

export const coherePaging = {
  page_size: z.coerce.number().int().min(1).max(1_000).optional(),
  page_token: z.string().optional(),
  endpoint: z.string().optional(),
};

/** https://docs.cohere.com/reference/list-models */
export function coherePage(
  models: readonly VisibleModel[],
  asked: { page_size?: number | undefined; page_token?: string | undefined; endpoint?: string | undefined },
): z.infer<typeof cohereList> {
  const all = models
    .map(asCohereLists)
    .filter(({ endpoints }) => asked.endpoint === undefined || endpoints.includes(asked.endpoint));
  const start = Number(asked.page_token ?? 0) || 0;
  const end = start + (asked.page_size ?? 20);
  return { models: all.slice(start, end), ...(end < all.length ? { next_page_token: String(end) } : {}) };
}

const cohereEndpoints = { chat: 'chat', embedding: 'embed', rerank: 'rerank' } as const;

export function asCohereLists(model: VisibleModel): z.infer<typeof cohereModel> {
  const most = maximumInput(model);
  const endpoints = Object.entries(cohereEndpoints)
    .filter(([operation]) => model.deployments.some(({ operations }) => operations.includes(operation as 'chat')))
    .map(([, name]) => name);
  return {
    name: model.name,
    endpoints,
    finetuned: false,
    ...(most === undefined ? {} : { context_length: most }),
    default_endpoints: [],
  };
}
