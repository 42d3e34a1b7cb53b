import { callTypeOf } from '../../core/call-type.ts';
import { costSplit } from '../../core/cost-split.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import { totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import type { SinkEntry } from './entry.ts';

/** One request as LiteLLM's standard log object, which webhooks, log services and files are given. */
export function standardPayload(entry: SinkEntry): JsonObject {
  const { record, content, times } = entry;
  const failed = record.status !== 'success';
  const cost = dollarsFromNanodollars(record.cost);
  const inputTokens = totalInputTokens(record.usage);
  const outputTokens = totalOutputTokens(record.usage);
  return {
    id: record.id,
    trace_id: record.traceId ?? record.id,
    session_id: record.sessionId,
    call_type: callTypeOf(record),
    cache_hit: record.cacheHit,
    cache_key: record.cacheKey,
    saved_cache_cost: 0,
    stream: record.stream,
    status: failed ? 'failure' : 'success',
    status_fields: { llm_api_status: failed ? 'failure' : 'success', guardrail_status: 'not_run' },
    response_cost: cost,
    cost_breakdown: breakdownOf(entry, cost),
    total_tokens: inputTokens + outputTokens,
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    startTime: record.startedAt / 1_000,
    endTime: record.endedAt / 1_000,
    completionStartTime: (record.firstTokenAt ?? record.endedAt) / 1_000,
    response_time: (record.endedAt - record.startedAt) / 1_000,
    model: record.modelUsed ?? record.modelAsked,
    model_id: record.deploymentId,
    model_group: record.modelGroup ?? record.modelAsked,
    custom_llm_provider: record.provider,
    api_base: record.apiBase,
    request_tags: [...record.tags],
    end_user: record.endUserId ?? '',
    requester_ip_address: record.clientAddress,
    metadata: {
      user_api_key_hash: record.keyId,
      user_api_key_alias: record.keyAlias,
      user_api_key_user_id: record.userId,
      user_api_key_user_email: entry.userEmail,
      user_api_key_team_id: record.teamId,
      user_api_key_team_alias: entry.teamAlias,
      user_api_key_org_id: record.organizationId,
      user_api_key_end_user_id: record.endUserId,
      requester_ip_address: record.clientAddress,
      spend_logs_metadata: record.metadata.spend_logs_metadata ?? null,
      requester_metadata: withoutSpendLogs(record.metadata),
      usage_object: usageObject(record.usage),
    },
    model_parameters: entry.parameters,
    messages: content === null ? null : saidIn(content.request),
    response: content === null ? null : answerIn(content.response),
    error_str: record.errorMessage,
    error_information: failed
      ? {
          error_code: String(record.httpStatus),
          error_class: record.errorCode,
          llm_provider: record.provider,
          error_message: record.errorMessage,
          traceback: null,
        }
      : null,
    hidden_params: {
      model_id: record.deploymentId,
      cache_key: record.cacheKey,
      api_base: record.apiBase,
      response_cost: cost,
      additional_headers: null,
      litellm_model_name: record.modelUsed,
      litellm_overhead_time_ms: record.overheadMs,
    },
    guardrail_information: [],
    // Ours beside it.
    tollgate: {
      http_status: record.httpStatus,
      status: record.status,
      cost_nanodollars: record.cost,
      attempts: record.attempts.map((attempt) => ({ ...attempt })),
      duration_ms: Math.round((times.ended - times.arrived) * 1_000) / 1_000,
      gateway_ms: Math.round(record.overheadMs * 1_000) / 1_000,
      provider_ms: Math.round(entry.providerMs * 1_000) / 1_000,
      finish_reason: record.finishReason,
    },
  };
}

function breakdownOf({ record, priced }: SinkEntry, cost: number): JsonObject {
  const split = priced === null ? null : costSplit(record, priced.price, priced.settings);
  return {
    input_cost: split?.input ?? null,
    output_cost: split?.output ?? null,
    tool_usage_cost: split?.tools ?? null,
    original_cost: split?.original ?? null,
    discount_amount: split?.discount ?? null,
    margin_total_amount: split?.margin ?? null,
    total_cost: cost,
  };
}

/** By class, in OpenAI's words. */
function usageObject(usage: Usage): JsonObject {
  const inputTokens = totalInputTokens(usage);
  const outputTokens = totalOutputTokens(usage);
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_creation_tokens: usage.cacheWriteTokens + usage.cacheWriteLongTokens,
      audio_tokens: usage.inputAudioTokens,
      image_tokens: usage.inputImageTokens,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: usage.outputAudioTokens },
  };
}

function withoutSpendLogs(metadata: JsonObject): JsonObject {
  const { spend_logs_metadata: _, ...rest } = metadata;
  return rest;
}

/** Messages where there are messages, else whatever the format calls its input. */
export function saidIn(request: JsonObject): Json {
  return request.messages ?? request.input ?? request.prompt ?? null;
}

/** The answer as JSON; what broke off is text. */
export function answerIn(text: string | null): Json {
  if (text === null) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : text;
  } catch {
    return text;
  }
}
