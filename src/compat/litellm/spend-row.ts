import { z } from 'zod';
import { callTypeOf } from '../../core/call-type.ts';
import type { Json } from '../../core/json.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { totalInputTokens, totalOutputTokens, totalTokens } from '../../core/usage.ts';
import { isoTime } from './fields.ts';

const text = z.string().nullable();

export const spendRowOutput = z.object({
  request_id: z.string(),
  call_type: z.string(),
  api_key: z.string(),
  spend: z.number(),
  total_tokens: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  startTime: text,
  endTime: text,
  completionStartTime: text,
  model: z.string(),
  model_id: text,
  model_group: text,
  custom_llm_provider: text,
  api_base: text,
  user: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  cache_hit: z.enum(['True', 'False']),
  cache_key: text,
  request_tags: z.array(z.string()),
  team_id: text,
  organization_id: text,
  end_user: z.string(),
  requester_ip_address: text,
  messages: z.unknown(),
  response: z.unknown(),
  proxy_server_request: z.unknown(),
  session_id: text,
  status: z.enum(['success', 'failure']),
  mcp_namespaced_tool_name: text,
});

/** One request as LiteLLM's spend log tells it; what only we know stands in its metadata. */
export function spendRow(record: RequestRecord) {
  return {
    request_id: record.id,
    call_type: callTypeOf(record),
    api_key: record.keyId ?? '',
    spend: dollarsFromNanodollars(record.cost),
    total_tokens: totalTokens(record.usage),
    prompt_tokens: totalInputTokens(record.usage),
    completion_tokens: totalOutputTokens(record.usage),
    startTime: isoTime(record.startedAt),
    endTime: isoTime(record.endedAt),
    completionStartTime: isoTime(record.firstTokenAt),
    model: record.modelUsed ?? record.modelAsked ?? '',
    model_id: record.deploymentId,
    model_group: record.modelGroup,
    custom_llm_provider: record.provider,
    api_base: record.apiBase,
    user: record.userId ?? '',
    metadata: {
      ...record.metadata,
      user_api_key: record.keyId,
      user_api_key_alias: record.keyAlias,
      user_api_key_user_id: record.userId,
      user_api_key_team_id: record.teamId,
      user_api_key_org_id: record.organizationId,
      status: record.status,
      http_status: record.httpStatus,
      error_information:
        record.errorCode === null
          ? null
          : {
              error_code: String(record.httpStatus),
              error_class: record.errorCode,
              error_message: record.errorMessage,
            },
      usage_object: { ...record.usage },
      attempts: record.attempts.map((attempt) => ({ ...attempt, charged: dollarsFromNanodollars(attempt.charged) })),
      overhead_ms: record.overheadMs,
      bound: dollarsFromNanodollars(record.bound),
      price_source: record.priceSource,
      finish_reason: record.finishReason,
      stream: record.stream,
      model_asked: record.modelAsked,
      trace_id: record.traceId,
    },
    cache_hit: record.cacheHit ? ('True' as const) : ('False' as const),
    cache_key: record.cacheKey,
    request_tags: [...record.tags],
    team_id: record.teamId,
    organization_id: record.organizationId,
    end_user: record.endUserId ?? '',
    requester_ip_address: record.clientAddress,
    messages: told(record.requestText),
    response: told(record.responseText),
    proxy_server_request: {},
    session_id: record.sessionId,
    status: record.status === 'success' ? ('success' as const) : ('failure' as const),
    mcp_namespaced_tool_name: null,
  };
}

/** Text that was stored as it was: JSON as JSON, anything else as text, nothing as `{}`. */
function told(stored: string | null): Json {
  if (stored === null) return {};
  try {
    return JSON.parse(stored) as Json;
  } catch {
    return stored;
  }
}
