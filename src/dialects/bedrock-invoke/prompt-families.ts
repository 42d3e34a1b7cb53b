import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { FinishReason, NeutralMessage, NeutralRequest } from '../../core/neutral.ts';
import { totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import {
  asObject,
  malformed,
  nameOf,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  optionalWhole,
  requiredString,
} from '../body-checks.ts';
import { turnsIn } from './turns.ts';

/** A piece of an answer, or all of it. */
export interface Piece {
  readonly text: string;
  /** Set with the last one. */
  readonly finish: FinishReason | undefined;
  readonly usage: Usage | undefined;
}

export type Asked = Partial<NeutralRequest> & Pick<NeutralRequest, 'messages'>;

/** Models whose answer is one text: where the prompt and its settings stand, and how the answer is told. */
export interface PromptFamily {
  readonly known: readonly string[];
  read(body: JsonObject): Asked;
  whole(piece: Piece): JsonObject;
  chunk(piece: Piece): JsonObject;
  /** The text and the end of what `whole` or `chunk` wrote. */
  heard(body: JsonObject): Pick<Piece, 'text' | 'finish'>;
}

const inputTokens = ({ usage }: Piece) => (usage === undefined ? 0 : totalInputTokens(usage));
const outputTokens = ({ usage }: Piece) => (usage === undefined ? 0 : totalOutputTokens(usage));
const word = ({ finish }: Piece, stop: Json, length: string, filtered: string): Json =>
  finish === undefined ? null : finish === 'length' ? length : finish === 'content_filter' ? filtered : stop;
const firstOf = (value: Json | undefined) => (Array.isArray(value) && isJsonObject(value[0]) ? value[0] : {});

function heardAs(text: Json | undefined, reason: Json | undefined): Pick<Piece, 'text' | 'finish'> {
  const finish =
    typeof reason !== 'string'
      ? undefined
      : /length|max/i.test(reason)
        ? 'length'
        : /filter|toxic/i.test(reason)
          ? 'content_filter'
          : 'stop';
  return { text: typeof text === 'string' ? text : '', finish };
}

function promptIn(body: JsonObject): Asked {
  return turnsIn(requiredString(body, 'prompt'));
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html */
const titan: PromptFamily = {
  known: ['inputText', 'textGenerationConfig'],
  read: (body) => {
    const config = optionalObject(body, 'textGenerationConfig') ?? {};
    return {
      ...turnsIn(requiredString(body, 'inputText')),
      maxOutputTokens: optionalWhole(config, 'maxTokenCount', 0, 'textGenerationConfig.maxTokenCount') || undefined,
      temperature: optionalNumber(config, 'temperature', 'textGenerationConfig.temperature'),
      topP: optionalNumber(config, 'topP', 'textGenerationConfig.topP'),
      stop: optionalStrings(config, 'stopSequences', 'textGenerationConfig.stopSequences'),
    };
  },
  whole: (piece) => ({
    inputTextTokenCount: inputTokens(piece),
    results: [{ tokenCount: outputTokens(piece), outputText: piece.text, completionReason: titanWord(piece) }],
  }),
  chunk: (piece) => ({
    outputText: piece.text,
    index: 0,
    totalOutputTextTokenCount: piece.finish === undefined ? null : outputTokens(piece),
    completionReason: titanWord(piece),
    inputTextTokenCount: piece.usage === undefined ? null : inputTokens(piece),
  }),
  heard: (body) => {
    const { outputText, completionReason } = Array.isArray(body.results) ? firstOf(body.results) : body;
    return heardAs(outputText, completionReason);
  },
};

const titanWord = (piece: Piece) => word(piece, 'FINISHED', 'LENGTH', 'CONTENT_FILTERED');

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html */
const llama: PromptFamily = {
  known: ['prompt', 'max_gen_len', 'temperature', 'top_p', 'images'],
  read: (body) => {
    const { system, messages } = turnsIn(requiredString(body, 'prompt'));
    const images = (optionalList(body, 'images') ?? []).filter((one) => typeof one === 'string');
    const last = messages.findLast(({ role }) => role === 'user');
    for (const base64 of images) {
      const mediaType = base64.startsWith('/9j/')
        ? 'image/jpeg'
        : base64.startsWith('UklGR')
          ? 'image/webp'
          : 'image/png';
      last?.content.unshift({ type: 'image', source: { kind: 'base64', mediaType, base64 } });
    }
    return {
      ...(system === undefined ? {} : { system }),
      messages,
      maxOutputTokens: optionalWhole(body, 'max_gen_len', 1),
      temperature: optionalNumber(body, 'temperature'),
      topP: optionalNumber(body, 'top_p'),
    };
  },
  whole: (piece) => ({
    generation: piece.text,
    prompt_token_count: inputTokens(piece),
    generation_token_count: outputTokens(piece),
    stop_reason: word(piece, 'stop', 'length', 'stop'),
  }),
  chunk: (piece) => ({
    generation: piece.text,
    prompt_token_count: piece.usage === undefined ? null : inputTokens(piece),
    generation_token_count: piece.usage === undefined ? null : outputTokens(piece),
    stop_reason: word(piece, 'stop', 'length', 'stop'),
  }),
  heard: ({ generation, stop_reason: reason }) => heardAs(generation, reason),
};

function sampled(body: JsonObject): Asked {
  return {
    ...promptIn(body),
    maxOutputTokens: optionalWhole(body, 'max_tokens', 1),
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'top_p'),
    topK: optionalNumber(body, 'top_k'),
    stop: optionalStrings(body, 'stop'),
  };
}

/** Mistral: `outputs`, DeepSeek: `choices`, of a text each. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html */
function listed(list: 'outputs' | 'choices'): PromptFamily {
  const told = (piece: Piece) => ({
    [list]: [{ text: piece.text, stop_reason: word(piece, 'stop', 'length', 'stop') }],
  });
  return {
    known: ['prompt', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop'],
    read: sampled,
    whole: told,
    chunk: told,
    heard: (body) => {
      const { text, stop_reason: reason } = firstOf(body[list]);
      return heardAs(text, reason);
    },
  };
}

const cohereWord = (piece: Piece) => word(piece, 'COMPLETE', 'MAX_TOKENS', 'ERROR_TOXIC');

function cohereSettings(body: JsonObject): Partial<NeutralRequest> {
  return {
    maxOutputTokens: optionalWhole(body, 'max_tokens', 1),
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'p'),
    topK: optionalNumber(body, 'k'),
    stop: optionalStrings(body, 'stop_sequences'),
  };
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html */
const command: PromptFamily = {
  known: [
    'prompt',
    'max_tokens',
    'temperature',
    'p',
    'k',
    'stop_sequences',
    'stream',
    'return_likelihoods',
    'num_generations',
  ],
  read: (body) => ({ ...promptIn(body), ...cohereSettings(body) }),
  whole: (piece) => ({ generations: [{ finish_reason: cohereWord(piece), text: piece.text }] }),
  chunk: (piece) => ({
    text: piece.text,
    is_finished: piece.finish !== undefined,
    ...(piece.finish === undefined ? {} : { finish_reason: cohereWord(piece) }),
  }),
  heard: (body) => {
    const { text, finish_reason: reason } = Array.isArray(body.generations) ? firstOf(body.generations) : body;
    return heardAs(text, reason);
  },
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html */
const commandR: PromptFamily = {
  known: ['message', 'chat_history', 'preamble', 'max_tokens', 'temperature', 'p', 'k', 'stop_sequences', 'seed'],
  read: (body) => {
    const messages = (optionalList(body, 'chat_history') ?? []).map((entry, index): NeutralMessage => {
      const turn = asObject(entry, `chat_history[${index}]`);
      const text = requiredString(turn, 'message', `chat_history[${index}].message`);
      if (turn.role !== 'USER' && turn.role !== 'CHATBOT') {
        throw malformed(`chat_history[${index}].role`, `expected "USER" or "CHATBOT", got ${nameOf(turn.role)}`);
      }
      return { role: turn.role === 'CHATBOT' ? 'assistant' : 'user', content: [{ type: 'text', text }] };
    });
    const preamble = optionalString(body, 'preamble') ?? '';
    return {
      system: preamble === '' ? [] : [{ type: 'text', text: preamble }],
      messages: [...messages, { role: 'user', content: [{ type: 'text', text: requiredString(body, 'message') }] }],
      ...cohereSettings(body),
      seed: optionalNumber(body, 'seed'),
    };
  },
  whole: (piece) => ({ text: piece.text, finish_reason: cohereWord(piece) }),
  chunk: (piece) => ({
    is_finished: piece.finish !== undefined,
    event_type: piece.finish === undefined ? 'text-generation' : 'stream-end',
    text: piece.text,
    ...(piece.finish === undefined ? {} : { finish_reason: cohereWord(piece) }),
  }),
  heard: ({ text, finish_reason: reason }) => heardAs(text, reason),
};

export const promptFamilies = {
  titan,
  llama,
  mistral: listed('outputs'),
  deepseek: listed('choices'),
  command,
  commandR,
} as const;
