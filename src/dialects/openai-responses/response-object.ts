import type { AnswerOptions } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { encodeUsage } from './usage.ts';

/** What of the request stands in the answer again, with what it is when the caller said nothing. */
const repeated: Readonly<Record<string, JsonObject[string]>> = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
};

export interface ObjectFacts {
  readonly id: string;
  readonly model: string;
  readonly createdAt: number | undefined;
  readonly output: readonly JsonObject[];
  readonly usage: Usage | undefined;
  /** undefined while the answer is being made. */
  readonly finish: FinishReason | undefined;
}

/** The `response` object, the same in whole answers and in the events of a stream. */
export function responseObject(facts: ObjectFacts, options: AnswerOptions): JsonObject {
  const { finish } = facts;
  const created = facts.createdAt ?? options.createdAt;
  const reason = finish === 'length' ? 'max_output_tokens' : finish === 'content_filter' ? 'content_filter' : undefined;
  const status = finish === undefined ? 'in_progress' : reason === undefined ? 'completed' : 'incomplete';
  return {
    id: answerId(facts.id, options),
    object: 'response',
    created_at: created,
    status,
    background: false,
    ...(status === 'completed' ? { completed_at: Math.max(created, options.createdAt) } : {}),
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    ...repeatedFrom(options.request?.body ?? {}),
    ...(facts.usage?.serviceTier === undefined ? {} : { service_tier: facts.usage.serviceTier }),
    model: options.model ?? facts.model,
    output: [...facts.output],
    usage: finish === undefined ? null : encodeUsage(facts.usage),
  };
}

function answerId(id: string, options: AnswerOptions): string {
  if (options.answerId !== undefined) return options.answerId(id);
  return id === '' ? `resp_${tokenOf(options.requestId)}` : id;
}

function repeatedFrom(request: JsonObject): JsonObject {
  const told: JsonObject = {};
  for (const [name, otherwise] of Object.entries(repeated)) told[name] = request[name] ?? otherwise;
  const { conversation } = request;
  if (typeof conversation === 'string') told.conversation = { id: conversation };
  else if (isJsonObject(conversation)) told.conversation = { id: conversation.id };
  return told;
}

/** A request's own part of the ids that are made for its items: short, for clients send them back where space is limited. */
export function tokenOf(requestId: string): string {
  return requestId.slice(-36).replaceAll(/[^A-Za-z0-9]/g, '');
}

const prefixByType: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  custom_tool_call: 'ctc',
  image_generation_call: 'ig',
};

export function itemId(type: string, index: number, options: AnswerOptions): string {
  return `${prefixByType[type] ?? 'item'}_${tokenOf(options.requestId)}${index}`;
}
