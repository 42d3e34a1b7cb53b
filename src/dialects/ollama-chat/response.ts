import type { AnswerOptions, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ContentBlock, FinishReason, NeutralResponse } from '../../core/neutral.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { unknownMembers } from '../body-checks.ts';
import { factsOf } from '../error-facts.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { count } from '../openai-chat/usage.ts';
import { decodeCall } from './decode-request.ts';
import { callTold } from './encode-request.ts';
import type { OllamaShape, Said } from './shape.ts';

const neutralFields: ReadonlySet<string> = new Set(
  `model created_at message response thinking done done_reason total_duration load_duration prompt_eval_count
   prompt_eval_duration eval_count eval_duration logprobs context`.split(/\s+/),
);

export function decodeFinish(reason: unknown, hasCalled: boolean): FinishReason {
  if (reason === 'length') return 'length';
  return hasCalled ? 'tool_calls' : 'stop';
}

export function encodeFinish(reason: FinishReason): string {
  return reason === 'length' ? 'length' : 'stop';
}

/** What the server already had in its memory it does not count, and then says nothing of the input. */
export function decodeUsage(body: JsonObject): Usage | undefined {
  if (typeof body.eval_count !== 'number' && typeof body.prompt_eval_count !== 'number') return undefined;
  return { ...noUsage, inputTokens: count(body.prompt_eval_count), outputTokens: count(body.eval_count) };
}

/** Durations are nanoseconds; what is not known is 0. */
export function encodeUsage(usage: Usage | undefined): JsonObject {
  const told = usage ?? noUsage;
  return {
    total_duration: 0,
    load_duration: 0,
    prompt_eval_count: totalInputTokens(told),
    prompt_eval_duration: 0,
    eval_count: totalOutputTokens(told),
    eval_duration: 0,
  };
}

export function createdAtOf(text: unknown): number | undefined {
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.floor(at / 1_000);
}

export function timeText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

/** UTF-8 bytes of what is said. */
export function generatedBytes({ text, thinking, calls }: Said): number {
  const called = calls.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(calls.map((call) => call.function ?? null)));
  return Buffer.byteLength(text) + Buffer.byteLength(thinking) + called;
}

export function ollamaResponse(shape: OllamaShape): Dialect['response'] {
  const saidIn = (body: JsonObject): Said => {
    if (typeof body.error === 'string') {
      throw new GatewayError('upstream_error', factsOf(body).message ?? 'The provider answered with an error.');
    }
    const said = shape.read(body);
    if (said === undefined) throw notAnAnswer('message');
    return said;
  };
  return {
    decode(body): NeutralResponse {
      const { text, thinking, calls } = saidIn(body);
      const content: ContentBlock[] = [];
      if (thinking !== '') content.push({ type: 'reasoning', text: thinking });
      if (text !== '') content.push({ type: 'text', text });
      content.push(...calls.map(decodeCall));
      return {
        id: '',
        model: typeof body.model === 'string' ? body.model : '',
        createdAt: createdAtOf(body.created_at),
        choices: [
          {
            index: 0,
            content,
            finishReason: decodeFinish(body.done_reason, calls.length > 0),
            ...(body.logprobs === undefined || body.logprobs === null ? {} : { logprobs: body.logprobs }),
          },
        ],
        usage: decodeUsage(body),
        extra: unknownMembers(body, neutralFields),
      };
    },
    encode(response, options: AnswerOptions): JsonObject {
      const choice = response.choices[0];
      const content = choice?.content ?? [];
      const joined = (...types: string[]) =>
        content.map((block) => (types.includes(block.type) && 'text' in block ? block.text : '')).join('');
      const said: Said = {
        text: joined('text', 'refusal'),
        thinking: joined('reasoning'),
        calls: content.filter((block) => block.type === 'tool_call').map(callTold),
      };
      return {
        model: options.model ?? response.model,
        created_at: timeText(response.createdAt ?? options.createdAt),
        ...shape.write(said),
        done: true,
        done_reason: encodeFinish(choice?.finishReason ?? 'stop'),
        ...encodeUsage(response.usage),
        ...(choice?.logprobs === undefined ? {} : { logprobs: choice.logprobs }),
        ...unknownMembers(response.extra, foreignFields),
      };
    },
    read(body): ResponseFacts {
      return {
        id: undefined,
        model: typeof body.model === 'string' ? body.model : undefined,
        usage: decodeUsage(body),
        finishReason: typeof body.done_reason === 'string' ? body.done_reason : null,
        outputBytes: generatedBytes(saidIn(body)),
      };
    },
  };
}

/** Fields of other formats' answers that mean nothing here. */
const foreignFields: ReadonlySet<string> = new Set([
  'system_fingerprint',
  'service_tier',
  'object',
  'created',
  'x_groq',
]);
