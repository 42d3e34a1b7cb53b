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
import { placeWanted, type Wanted, wantMedium } from './inputs.ts';

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
  prepare: placeWanted,
  followUp: predictionFollowUp,
} satisfies Dialect);

function encode(request: NeutralRequest, options: EncodeOptions): JsonObject {
  // What else there is, is the model's own.
  const { passed, refused } = crossing(request.extra, { own: [] }, options);
  refuseParameters([...refused, ...neutralRefused(request)], options);
  const wanted: Wanted = {};
  const effort = effortOf(request);
  if (effort !== undefined && !isOpenai(options.model)) wanted.reasoning_effort = effort;
  const input: JsonObject = {
    ...passed,
    ...given({
      prompt: promptOf(request.messages, wanted),
      system_prompt: request.system.length === 0 ? undefined : request.system.map(({ text }) => text).join('\n\n'),
      [capOf(options.model)]: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      seed: request.seed,
      reasoning_effort: isOpenai(options.model) ? effort : undefined,
      presence_penalty: request.presencePenalty,
      frequency_penalty: request.frequencyPenalty,
      stop_sequences: stopOf(request.stop),
    }),
  };
  const edits = parameterEdits(input, options, { maxTokensNames: [capOf(options.model)], maxTokensRequired: false });
  edits.delete('model');
  const asked = { input: withEdits(input, edits) };
  return Object.keys(wanted).length === 0 ? asked : { ...asked, wanted: wanted as JsonObject };
}

const capNames: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_new_tokens',
  'max_completion_tokens',
  'max_output_tokens',
]);

/** The cap on what is generated is called as the model's first home called it. */
function capOf(model: string): string {
  if (isOpenai(model)) return model.endsWith('-structured') ? 'max_output_tokens' : 'max_completion_tokens';
  return /llama-?2|codellama/.test(model) ? 'max_new_tokens' : 'max_tokens';
}

/** How hard it shall think: OpenAI's models all have an input for it, of others it is to be seen. */
function effortOf({ reasoning }: NeutralRequest): string | undefined {
  if (reasoning === undefined || reasoning.mode === 'disabled' || reasoning.effort === 'none') return undefined;
  return reasoning.effort ?? 'medium';
}

function isOpenai(model: string): boolean {
  return model.startsWith('openai/');
}

function neutralRefused(request: NeutralRequest): string[] {
  const names: string[] = [];
  if (request.tools.length > 0) names.push('tools');
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.logprobs !== undefined) names.push('logprobs');
  if (request.responseFormat !== undefined && request.responseFormat.type !== 'text') names.push('response_format');
  return names;
}

function stopOf(stop: readonly string[]): string | undefined {
  if (stop.some((text) => text.includes(','))) throw inexpressible('stop sequences with a comma in them', 'stop');
  return stop.length === 0 ? undefined : stop.join(',');
}

/** The model's own template stands around it; several turns are written out in it. */
function promptOf(messages: readonly NeutralMessage[], wanted: Wanted): string {
  const [only, more] = messages;
  if (only === undefined) throw inexpressible('conversations in which nobody says anything');
  if (more === undefined && only.role === 'user') return textOf(only.content, wanted);
  const turns = messages.map(
    ({ role, content }) => `${role === 'user' ? 'User' : 'Assistant'}: ${textOf(content, wanted)}`,
  );
  return `${turns.join('\n\n')}${messages.at(-1)!.role === 'user' ? '\n\nAssistant:' : ''}`;
}

function textOf(content: readonly ContentBlock[], wanted: Wanted): string {
  const texts: string[] = [];
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') texts.push(block.text);
    else if (block.type === 'vendor') throw strangeContent(block.block);
    // Nobody else's reasoning is read.
    else if (block.type !== 'reasoning' && !wantMedium(wanted, block)) throw strangeContent({ type: block.type });
  }
  return texts.join('\n');
}

/** What was asked, as chat completions say it. */
function asChat({ input, wanted }: JsonObject): JsonObject {
  const { prompt, system_prompt: system, stop_sequences: stop, ...rest } = isJsonObject(input) ? input : {};
  const settings = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [capNames.has(name) ? 'max_tokens' : name, value]),
  );
  return {
    ...settings,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: isJsonObject(wanted) ? partsOf(prompt, wanted as Wanted) : prompt },
    ],
    ...(isJsonObject(wanted) ? given({ reasoning_effort: wanted.reasoning_effort }) : {}),
    ...(typeof stop === 'string' ? { stop: stop.split(',') } : {}),
  };
}

function partsOf(prompt: unknown, { images = [], audio = [], files = [] }: Wanted): JsonObject[] {
  return [
    ...images.map((url) => ({ type: 'image_url', image_url: { url } })),
    ...audio.map((url) => {
      const [, format = 'wav', data = ''] = /^data:audio\/([^;,]+);base64,(.*)$/s.exec(url) ?? [];
      return { type: 'input_audio', input_audio: { format, data } };
    }),
    ...files.map((url) => ({ type: 'file', file: { filename: 'file', file_data: url } })),
    { type: 'text', text: String(prompt) },
  ];
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
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      return isJsonObject(piece) && typeof piece.text === 'string' ? piece.text : JSON.stringify(piece);
    })
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
