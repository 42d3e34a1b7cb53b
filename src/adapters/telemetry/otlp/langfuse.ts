import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { dollarsFromNanodollars } from '../../../core/money.ts';
import type { RequestRecord } from '../../../core/request-record.ts';
import { totalTokens } from '../../../core/usage.ts';
import type { SinkEntry } from '../../sinks/entry.ts';
import { chatTexts } from './chat-texts.ts';
import type { Attributes, AttributeValue } from './span.ts';
import { ownTrace } from './spans-of-request.ts';
import { langfuse } from './vocabulary.ts';

/** Langfuse drops longer tags. */
const tagLengthMax = 200;

/** The trace that the caller named in Langfuse's own way (`metadata.trace_id` …), else the request's. */
export function langfuseEntry(entry: SinkEntry): SinkEntry {
  const trace = entry.trace ?? ownTrace(entry.record.id);
  const { metadata, traceId } = entry.record;
  const named = text(metadata.existing_trace_id) ?? text(metadata.trace_id) ?? traceId;
  if (named === null || named === trace.traceId) return { ...entry, trace };
  const parent = text(metadata.parent_observation_id);
  return {
    ...entry,
    trace: {
      ...trace,
      traceId: /^[0-9a-f]{32}$/.test(named) ? named : createHash('sha256').update(named).digest('hex').slice(0, 32),
      parentSpanId: parent !== null && /^[0-9a-f]{16}$/.test(parent) ? parent : null,
    },
  };
}

/** Puts what Langfuse shows and filters by on the span of the request. */
export function decorateForLangfuse(entry: SinkEntry, root: Attributes, tagged: readonly string[] = []): void {
  const { record, teamAlias } = entry;
  const { metadata } = record;
  const put = (name: string, value: AttributeValue | null): void => {
    if (value !== null && value !== '') root.push(name, value);
  };
  put(langfuse.traceName, text(metadata.trace_name) ?? text(metadata.generation_name) ?? record.modelAsked);
  put(langfuse.userId, text(metadata.trace_user_id) ?? record.endUserId ?? record.userId);
  put(langfuse.sessionId, record.sessionId);
  put(langfuse.version, text(metadata.trace_version) ?? text(metadata.version));
  put(langfuse.release, text(metadata.trace_release));
  const tags = [...record.tags, ...factTags(entry, tagged)].filter((tag) => tag.length <= tagLengthMax);
  if (tags.length > 0) put(langfuse.tags, tags);
  for (const [name, value] of Object.entries({
    virtual_key: record.keyAlias ?? record.keyId,
    key_hash: record.keyId,
    team: teamAlias ?? record.teamId,
    team_id: record.teamId,
    organization_id: record.organizationId,
    model: record.modelAsked,
    model_group: record.modelGroup,
    provider: record.provider,
    status: record.status,
    request_id: record.id,
  })) {
    put(langfuse.traceMetadata + name, value);
  }
  const own = metadata.trace_metadata;
  if (isJsonObject(own)) for (const name in own) put(langfuse.traceMetadata + name, plain(own, name));

  put(langfuse.type, 'generation');
  put(langfuse.model, record.modelUsed ?? record.modelAsked);
  put(langfuse.parameters, JSON.stringify(entry.parameters));
  put(langfuse.usage, JSON.stringify(usageDetails(record)));
  put(langfuse.cost, JSON.stringify({ total: dollarsFromNanodollars(record.cost) }));
  if (record.stream && record.firstTokenAt !== null) {
    put(langfuse.completionStart, JSON.stringify(new Date(record.firstTokenAt).toISOString()));
  }
  if (record.status === 'failure' || record.status === 'unknown') put(langfuse.level, 'ERROR');
  else if (record.status !== 'success') put(langfuse.level, 'WARNING');
  put(langfuse.statusMessage, record.errorMessage);
  if (entry.content === null) return;
  const { input, output } = chatTexts(entry.content);
  put(langfuse.input, input);
  put(langfuse.output, output);
  put(langfuse.traceInput, input);
  put(langfuse.traceOutput, output);
}

/** `name:value` of what the operator wants to filter by. */
function factTags({ record, teamAlias, userEmail }: SinkEntry, names: readonly string[]): string[] {
  const known: Readonly<Record<string, string | boolean | null>> = {
    cache_hit: record.cacheHit,
    cache_key: record.cacheKey,
    user_api_key_alias: record.keyAlias,
    user_api_key_user_id: record.userId,
    user_api_key_user_email: userEmail,
    user_api_key_team_alias: teamAlias,
    user_api_key_team_id: record.teamId,
    model_group: record.modelGroup,
    provider: record.provider,
  };
  return names.flatMap((name) => {
    const value = known[name] ?? null;
    return value === null ? [] : [`${name}:${value}`];
  });
}

/** Classes that do not overlap: Langfuse adds them up. */
function usageDetails({ usage }: RequestRecord): Record<string, number> {
  const details: Record<string, number> = {
    input: usage.inputTokens + usage.inputAudioTokens + usage.inputImageTokens,
    output: usage.outputTokens + usage.outputAudioTokens,
    total: totalTokens(usage),
  };
  if (usage.cacheReadTokens > 0) details.cache_read_input_tokens = usage.cacheReadTokens;
  const written = usage.cacheWriteTokens + usage.cacheWriteLongTokens;
  if (written > 0) details.cache_creation_input_tokens = written;
  if (usage.reasoningTokens > 0) details.output_reasoning_tokens = usage.reasoningTokens;
  return details;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function plain(values: JsonObject, name: string): string {
  const value = values[name];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
