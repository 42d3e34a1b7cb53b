import type { JsonObject } from '../../core/json.ts';
import type { HeliconeSetting } from '../../core/sink-settings.ts';
import type { Destination } from './destination.ts';
import type { SinkEntry } from './entry.ts';
import { deliveryOf, post, type Sender } from './post.ts';
import { answerIn } from './standard-payload.ts';

/** By the format that the call was in; Helicone reads each with its own parser. */
const paths: Readonly<Record<string, string>> = {
  'openai-chat': '/oai/v1/log',
  'openai-completions': '/oai/v1/log',
  'openai-embeddings': '/oai/v1/log',
  'anthropic-messages': '/anthropic/v1/log',
};
const customPath = '/custom/v1/log';

/** Helicone's log of calls that did not go through its own proxy: one call each, it has no batches. */
export function heliconeDestination({ baseUrl, key }: HeliconeSetting, sender: Sender): Destination {
  const headers = ['content-type', 'application/json', 'authorization', `Bearer ${key.reveal()}`];
  return {
    encode(entry) {
      const path = paths[entry.record.dialect] ?? customPath;
      // The path goes ahead of the body, on a line of its own.
      return { bytes: Buffer.from(`${path}\n${JSON.stringify(heliconeLog(entry))}`), items: 1 };
    },
    async send([only]) {
      const bytes = only!.bytes;
      const end = bytes.indexOf(10);
      const url = baseUrl + bytes.toString('latin1', 0, end);
      const body = bytes.subarray(end + 1);
      return deliveryOf(
        await post(sender, { url, method: 'POST', headers, body, timeoutMs: 10_000 }),
        sender.clock.now(),
      );
    },
    batchMax: 1,
    batchBytesMax: Number.MAX_SAFE_INTEGER,
    parallelMax: 16,
    flushMs: 50,
  };
}

function heliconeLog(entry: SinkEntry): JsonObject {
  const { record, content } = entry;
  const model = record.modelUsed ?? record.modelAsked;
  return {
    providerRequest: {
      url: record.apiBase ?? `tollgate:${record.path}`,
      json: { ...(content?.request ?? entry.parameters), model },
      meta: propertiesOf(entry),
    },
    providerResponse: {
      json: answerOf(entry),
      status: record.httpStatus,
      headers: {},
    },
    timing: {
      startTime: timeOf(record.startedAt),
      endTime: timeOf(record.endedAt),
      ...(record.stream &&
        record.firstTokenAt !== null && { timeToFirstToken: record.firstTokenAt - record.startedAt }),
    },
  };
}

/** Without content there is still usage, which Helicone counts by. */
function answerOf({ record, content }: SinkEntry): JsonObject {
  const answer = answerIn(content?.response ?? null);
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer;
  const { usage } = record;
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.cacheWriteLongTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  return {
    id: record.id,
    model: record.modelUsed ?? record.modelAsked,
    ...(record.errorMessage !== null && { error: { message: record.errorMessage, code: record.errorCode } }),
    ...(typeof answer === 'string' && { text: answer }),
    usage: {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      input_tokens: input,
      output_tokens: output,
    },
  };
}

/** Who asked, and the caller's own properties: metadata whose names begin with `Helicone-`. */
function propertiesOf({ record, teamAlias }: SinkEntry): JsonObject {
  const meta: JsonObject = {};
  const put = (name: string, value: string | null): void => {
    if (value !== null && value !== '') meta[name] = value;
  };
  put('Helicone-Request-Id', record.id.slice(-36));
  put('Helicone-User-Id', record.endUserId ?? record.userId);
  put('Helicone-Session-Id', record.sessionId);
  put('Helicone-Property-virtual_key', record.keyAlias ?? record.keyId);
  put('Helicone-Property-team', teamAlias ?? record.teamId);
  put('Helicone-Property-model_group', record.modelGroup);
  put('Helicone-Property-provider', record.provider);
  // Helicone prices by usage, and this one cost nothing.
  if (record.cacheHit) put('Helicone-Property-cache_hit', 'true');
  if (record.tags.length > 0) put('Helicone-Property-tags', record.tags.join(','));
  for (const name in record.metadata) {
    const value = record.metadata[name];
    if (!/^helicone-/i.test(name) || /^helicone-auth$/i.test(name)) continue;
    put(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return meta;
}

function timeOf(milliseconds: number): JsonObject {
  const seconds = Math.floor(milliseconds / 1_000);
  return { seconds, milliseconds: Math.floor(milliseconds - seconds * 1_000) };
}
