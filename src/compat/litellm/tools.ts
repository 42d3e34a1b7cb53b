import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { visibleModels } from '../../admin/visible-models.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Principal } from '../../core/identity.ts';
import type { JsonObject } from '../../core/json.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import { costOf } from '../../core/price.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage } from '../../core/usage.ts';
import { count, label } from './fields.ts';
import { chatParams, embeddingParams } from './model-group.ts';

const tag = 'tools';
const tokensMax = 1_000_000_000;

/** Dry runs: nothing is sent, nothing is charged. */
export function toolEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('POST /utils/token_counter', {
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Count the tokens of a request.',
      body: z.object({
        model: label.min(1),
        messages: z.array(z.unknown()).nullish(),
        prompt: z.union([z.string(), z.array(z.unknown())]).nullish(),
        contents: z.array(z.unknown()).nullish(),
        tools: z.array(z.unknown()).nullish(),
        system: z.unknown().optional(),
      }),
      response: z.object({
        total_tokens: z.number(),
        request_model: z.string(),
        model_used: z.string(),
        tokenizer_type: z.string(),
        original_response: z.unknown().nullable(),
        error: z.boolean(),
      }),
      async run({ actor, body }) {
        if (!body.messages && body.prompt === undefined && !body.contents)
          throw new GatewayError('malformed_request', 'prompt or messages or contents must be provided.', {
            param: 'messages',
          });
        const deployment = deploymentsOf(plane, actor.principal, body.model)[0];
        const model = deployment?.model ?? body.model;
        const texts = textsIn([body.system, body.messages, body.prompt, body.contents]);
        if (body.tools) texts.push(JSON.stringify(body.tools));
        const counted = await plane.countTokens(texts.join('\n'), model);
        const framing = body.messages ? 3 + 3 * body.messages.length : 0;
        return {
          total_tokens: counted.tokens + framing,
          request_model: body.model,
          model_used: model,
          tokenizer_type: counted.tokenizer,
          original_response: null,
          error: false,
        };
      },
    }),
    endpoint('POST /utils/transform_request', {
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'A request as its provider would get it, credentials left out. Nothing is sent.',
      body: z.object({ call_type: z.enum(callTypes), request_body: z.record(z.string(), z.unknown()) }),
      response: z.object({
        raw_request_api_base: z.string(),
        raw_request_body: z.record(z.string(), z.unknown()),
        raw_request_headers: z.record(z.string(), z.string()),
        error: z.null(),
      }),
      async run({ actor, body }) {
        const path = pathsByCallType[body.call_type];
        const preview = await plane.preview(actor.principal, path, body.request_body as JsonObject);
        return {
          raw_request_api_base: preview.address,
          raw_request_body: preview.body,
          raw_request_headers: { ...preview.headers },
          error: null,
        };
      },
    }),
    endpoint('GET /utils/supported_openai_params', {
      access: 'any_key',
      group: 'llm_api_routes',
      tag,
      summary: 'Request parameters that a model takes.',
      query: z.object({ model: label.min(1) }),
      response: z.object({ supported_openai_params: z.array(z.string()) }),
      run({ actor, query }) {
        const found = deploymentsOf(plane, actor.principal, query.model);
        const deployment = found[0];
        if (deployment === undefined) throw unknownModel(query.model);
        const all = deployment.operations.includes('chat') ? chatParams : embeddingParams;
        const refused = new Set(deployment.traits.unsupportedParams);
        return { supported_openai_params: all.filter((name) => !refused.has(name)) };
      },
    }),
    endpoint('POST /spend/calculate', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'What a request or an answer costs.',
      body: z.object({
        model: label.nullish(),
        messages: z.array(z.unknown()).nullish(),
        completion_response: z.record(z.string(), z.unknown()).nullish(),
      }),
      response: z.object({ cost: z.number() }),
      async run({ actor, body }) {
        const answer = body.completion_response ?? null;
        const model = body.model ?? (typeof answer?.model === 'string' ? answer.model : null);
        if (model === null) throw new GatewayError('malformed_request', 'model is required.', { param: 'model' });
        const deployment = pricedDeployment(plane, actor.principal, model);
        const usage = answer === null ? null : answerUsage(answer.usage);
        if (usage === null && !body.messages)
          throw new GatewayError('malformed_request', 'Give messages, or completion_response with its usage.', {
            param: 'messages',
          });
        const inputTokens =
          usage === null ? (await plane.countTokens(textsIn([body.messages]).join('\n'), deployment.model)).tokens : 0;
        return { cost: cost(deployment, usage ?? { inputTokens, cacheReadTokens: 0, outputTokens: 0 }) };
      },
    }),
    endpoint('POST /cost/estimate', {
      access: 'any_key',
      group: 'spend_tracking_routes',
      tag,
      summary: 'What so many tokens cost, for one request, a day and a month.',
      body: z.object({
        model: label.min(1),
        input_tokens: count.default(0),
        output_tokens: count.default(0),
        num_requests_per_day: count.nullish(),
        num_requests_per_month: count.nullish(),
      }),
      response: z.object({
        model: z.string(),
        input_tokens: z.number(),
        output_tokens: z.number(),
        cost_per_request: z.number(),
        input_cost_per_request: z.number(),
        output_cost_per_request: z.number(),
        daily_cost: z.number().nullable(),
        monthly_cost: z.number().nullable(),
        provider: z.string(),
      }),
      run({ actor, body }) {
        const deployment = pricedDeployment(plane, actor.principal, body.model);
        const { input_tokens: inputTokens, output_tokens: outputTokens } = body;
        const whole = cost(deployment, { inputTokens, cacheReadTokens: 0, outputTokens });
        const input = cost(deployment, { inputTokens, cacheReadTokens: 0, outputTokens: 0 });
        return {
          model: body.model,
          input_tokens: inputTokens,
          output_tokens: outputTokens,
          cost_per_request: whole,
          input_cost_per_request: input,
          output_cost_per_request: cost(deployment, { inputTokens: 0, cacheReadTokens: 0, outputTokens }),
          daily_cost: body.num_requests_per_day ? whole * body.num_requests_per_day : null,
          monthly_cost: body.num_requests_per_month ? whole * body.num_requests_per_month : null,
          provider: deployment.provider.id,
        };
      },
    }),
  ];
}

const pathsByCallType = {
  completion: '/v1/chat/completions',
  acompletion: '/v1/chat/completions',
  text_completion: '/v1/completions',
  atext_completion: '/v1/completions',
  embedding: '/v1/embeddings',
  aembedding: '/v1/embeddings',
  responses: '/v1/responses',
  aresponses: '/v1/responses',
  anthropic_messages: '/v1/messages',
  image_generation: '/v1/images/generations',
  aimage_generation: '/v1/images/generations',
  speech: '/v1/audio/speech',
  aspeech: '/v1/audio/speech',
  moderation: '/v1/moderations',
  amoderation: '/v1/moderations',
  rerank: '/v1/rerank',
  arerank: '/v1/rerank',
} as const;
const callTypes = Object.keys(pathsByCallType) as (keyof typeof pathsByCallType)[];

interface Tokens {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly outputTokens: number;
}

function cost(deployment: Deployment, tokens: Tokens): number {
  return dollarsFromNanodollars(costOf({ ...noUsage, ...tokens }, deployment.price!));
}

/** Usage as the OpenAI format writes it; cached tokens are part of the prompt there. */
function answerUsage(usage: unknown): Tokens | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const named = usage as Record<string, unknown>;
  const details = named.prompt_tokens_details as Record<string, unknown> | null | undefined;
  const cached = tokenCount(details?.cached_tokens);
  return {
    inputTokens: Math.max(0, tokenCount(named.prompt_tokens) - cached),
    cacheReadTokens: cached,
    outputTokens: tokenCount(named.completion_tokens),
  };
}

function tokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? Math.min(value, tokensMax) : 0;
}

function deploymentsOf(plane: ControlPlane, principal: Principal, model: string): readonly Deployment[] {
  const snapshot = plane.snapshot();
  const visible = visibleModels(plane, principal, false).find((one) => one.name === model);
  if (visible !== undefined) return visible.deployments;
  for (const group of snapshot.wildcards) {
    const expanded = group.expand(model);
    if (
      expanded !== null &&
      plane.mayUse(principal, { asked: model, group: group.name, deployments: expanded.deployments })
    )
      return expanded.deployments;
  }
  return [];
}

function pricedDeployment(plane: ControlPlane, principal: Principal, model: string): Deployment {
  const found = deploymentsOf(plane, principal, model);
  if (found.length === 0) throw unknownModel(model);
  const priced = found.find((deployment) => deployment.price !== null);
  if (priced === undefined)
    throw new GatewayError(
      'malformed_request',
      `The price of ${model} is not known: set input_cost_per_token and output_cost_per_token.`,
      {
        param: 'model',
      },
    );
  return priced;
}

function unknownModel(model: string): GatewayError {
  return new GatewayError(
    'unknown_model',
    `Invalid model name passed in model=${model.slice(0, 128)}. Call \`/v1/models\` to view available models for your key.`,
    { param: 'model' },
  );
}

/** Every text in a tree of messages, names of parts left out. */
function textsIn(value: unknown): string[] {
  const texts: string[] = [];
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string') texts.push(next);
    else if (Array.isArray(next)) for (let index = next.length - 1; index >= 0; index--) waiting.push(next[index]);
    else if (typeof next === 'object' && next !== null) {
      const { type: _type, ...rest } = next as Record<string, unknown>;
      waiting.push(Object.values(rest).reverse());
    }
  }
  return texts;
}
