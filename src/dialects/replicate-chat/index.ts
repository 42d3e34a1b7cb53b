import type { Dialect, EncodeOptions, ResponseFacts } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { isJsonObject } from '../../core/json.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { unreadableEvent } from '../event-decoder.ts';
import { crossing } from '../foreign-parameters.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { count } from '../openai-chat/usage.ts';
import { inexpressible, parameterEdits, refuseParameters, strangeContent, withEdits } from '../parameter-edits.ts';
import { predictionFollowUp, predictionOutput } from '../replicate-prediction.ts';
import { given } from '../task-dialect.ts';

/**
 * Language models as predictions: a prompt and its settings in, pieces of text out, whole. A stream is made of the whole
 * answer. Nobody asks in this format; a provider is asked in it.
 * https://replicate.com/docs/reference/http#models.predictions.create and https://replicate.com/meta/meta-llama-3-70b-instruct/api
 */
export const replicateChat: Dialect = Object.freeze({
  ...openaiChat,
  name: 'replicate-chat',
  inspect: (body) => openaiChat.inspect(asChat(body)),
  request: { decode: (body) => openaiChat.request.decode(asChat(body)), encode },
  response: { ...openaiChat.response, encode: told, decode, read },
  streamDecoder: () => ({ push: (_chunk, parts) => void parts.push(unreadableEvent()), end: () => undefined }),
  heartbeat: null,
  streamContentType: null,
  followUp: predictionFollowUp,
} satisfies Dialect);

function encode(request: NeutralRequest, options: EncodeOptions): JsonObject {
  // What else there is, is the model's own.
  const { passed, refused } = crossing(request.extra, { own: [] }, options);
  refuseParameters([...refused, ...neutralRefused(request, options.model)], options);
  const input: JsonObject = {
    ...passed,
    ...given({
      prompt: promptOf(request.messages),
      system_prompt: request.system.length === 0 ? undefined : request.system.map(({ text }) => text).join('\n\n'),
      [capOf(options.model)]: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      seed: request.seed,
      reasoning_effort: isOpenai(options.model) ? effortOf(request) : undefined,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      stop_sequences: stopOf(request.stop),
    }),
  };
  const edits = parameterEdits(input, options, { maxTokensNames: [capOf(options.model)], maxTokensRequired: false });
  edits.delete('model');
  return { input: withEdits(input, edits) };
}

const capNames: ReadonlySet<string> = new Set(['max_tokens', 'max_new_tokens', 'max_completion_tokens']);

/** The cap on what is generated is called as the model's first home called it. */
function capOf(model: string): string {
  if (isOpenai(model)) return 'max_completion_tokens';
  return /llama-?2|codellama/.test(model) ? 'max_new_tokens' : 'max_tokens';
}

/** How hard it shall think is a setting of OpenAI's models alone that others have as well. */
function effortOf({ reasoning }: NeutralRequest): string | undefined {
  if (reasoning === undefined || reasoning.mode === 'disabled' || reasoning.effort === 'none') return undefined;
  return reasoning.effort ?? 'medium';
}

function isOpenai(model: string): boolean {
  return model.startsWith('openai/');
}

function neutralRefused(request: NeutralRequest, model: string): string[] {
  const names: string[] = [];
  if (request.tools.length > 0) names.push('tools');
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.logprobs !== undefined) names.push('logprobs');
  if (effortOf(request) !== undefined && !isOpenai(model)) names.push('reasoning_effort');
  if (request.responseFormat !== undefined && request.responseFormat.type !== 'text') names.push('response_format');
  return names;
}

function stopOf(stop: readonly string[]): string | undefined {
  if (stop.some((text) => text.includes(','))) throw inexpressible('stop sequences with a comma in them', 'stop');
  return stop.length === 0 ? undefined : stop.join(',');
}

/** The model's own template stands around it; several turns are written out in it. */
function promptOf(messages: readonly NeutralMessage[]): string {
  const [only, more] = messages;
  if (only === undefined) throw inexpressible('conversations in which nobody says anything');
  if (more === undefined && only.role === 'user') return textOf(only.content);
  const turns = messages.map(({ role, content }) => `${role === 'user' ? 'User' : 'Assistant'}: ${textOf(content)}`);
  return `${turns.join('\n\n')}${messages.at(-1)!.role === 'user' ? '\n\nAssistant:' : ''}`;
}

function textOf(content: readonly ContentBlock[]): string {
  const texts: string[] = [];
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') texts.push(block.text);
    else if (block.type === 'vendor') throw strangeContent(block.block);
    // Nobody else's reasoning is read.
    else if (block.type !== 'reasoning') throw strangeContent({ type: block.type });
  }
  return texts.join('\n');
}

/** What was asked, as chat completions say it. */
function asChat({ input }: JsonObject): JsonObject {
  const { prompt, system_prompt: system, stop_sequences: stop, ...rest } = isJsonObject(input) ? input : {};
  const settings = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [capNames.has(name) ? 'max_tokens' : name, value]),
  );
  return {
    ...settings,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: prompt },
    ],
    ...(typeof stop === 'string' ? { stop: stop.split(',') } : {}),
  };
}

function told({ id, model, choices, usage }: NeutralResponse): JsonObject {
  const content = choices[0]?.content ?? [];
  const output = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  const counted = usage && {
    metrics: { input_token_count: totalInputTokens(usage), output_token_count: totalOutputTokens(usage) },
  };
  return { id, model, status: 'succeeded', output, ...counted };
}

function saidIn(body: JsonObject): string {
  return predictionOutput(body)
    .map((piece) => (typeof piece === 'string' ? piece : JSON.stringify(piece)))
    .join('');
}

function read(body: JsonObject): ResponseFacts {
  const { id, model, usage } = decode(body);
  const outputBytes = Buffer.byteLength(saidIn(body));
  return { id: id || undefined, model: model || undefined, usage, finishReason: 'stop', outputBytes };
}

function decode(body: JsonObject): NeutralResponse {
  const text = saidIn(body);
  return {
    id: typeof body.id === 'string' ? body.id : '',
    model: typeof body.model === 'string' ? body.model : '',
    createdAt: undefined,
    choices: [{ index: 0, content: [{ type: 'text', text }], finishReason: 'stop' }],
    usage: usageOf(body.metrics),
    extra: {},
  };
}

/** Models that are priced by the token tell how many there were. */
function usageOf(metrics: unknown): Usage | undefined {
  if (!isJsonObject(metrics) || metrics.output_token_count === undefined) return undefined;
  return {
    ...noUsage,
    inputTokens: count(metrics.input_token_count),
    outputTokens: count(metrics.output_token_count),
  };
}
