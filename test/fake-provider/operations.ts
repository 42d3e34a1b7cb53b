import { type Answer, type AnswerRequest, answerTo } from './answer.ts';
import { anthropicMessage, messageFrames } from './anthropic-messages.ts';
import { converseAnswer, converseFrames, converseRequest, renderAwsChunk, renderAwsFrame } from './bedrock.ts';
import { cohereAnswer, cohereFrames, cohereRequest } from './cohere.ts';
import { amazonError, anthropicError, googleError, ollamaError, openaiError } from './errors.ts';
import type { Frame } from './frame.ts';
import { geminiAnswer, geminiFrames, geminiRequest } from './gemini.ts';
import { nothingUsed } from './invoice.ts';
import { isRecord } from './json.ts';
import { isMistral, mistralFrames } from './mistral.ts';
import { generated, generatedFrames, ollamaAnswer, ollamaFrames, ollamaLine, ollamaRequest } from './ollama.ts';
import { chatCompletion, chatFrames } from './openai-chat.ts';
import { textCompletion, textCompletionFrames } from './openai-completions.ts';
import { embeddingList } from './openai-embeddings.ts';
import { response, responseFrames } from './openai-responses.ts';
import { promptTokens } from './prompt.ts';
import type { FakeUsage, Script, ScriptedError } from './script.ts';
import { taskOperations } from './tasks.ts';

/** What one request is answered with, before any fault. */
export interface Composed {
  readonly id: string;
  readonly usage: FakeUsage;
  readonly json: () => unknown;
  /** Absent where this operation has no stream. */
  readonly frames?: () => Iterable<Frame>;
}

export interface FakeOperation {
  readonly family: 'openai' | 'anthropic' | 'google' | 'amazon' | 'cohere' | 'ollama';
  /** Paths end like this; what stands before it is the provider's own business. */
  readonly suffix: string;
  readonly requiredFields: readonly string[];
  /** Where the path says whether it streams; elsewhere the body does. */
  readonly isStream?: boolean;
  /** Streams unless it is told not to. */
  readonly streamsByDefault?: boolean;
  /** How a stream is framed, where not as server-sent events. */
  readonly render?: (frame: Frame) => Buffer;
  readonly streamType?: string;
  readonly compose: (request: AnswerRequest, script: Script) => Composed;
}

/** How an operation that generates text is told, whole and streamed. */
interface Telling extends Omit<FakeOperation, 'compose'> {
  /** What is asked, in the words that answers are composed from. */
  readonly asked?: (request: AnswerRequest) => AnswerRequest;
  readonly id: (request: AnswerRequest, answer: Answer) => string;
  readonly json: (answer: Answer, script: Script, request: AnswerRequest) => unknown;
  readonly frames: (answer: Answer, script: Script, request: AnswerRequest) => Iterable<Frame>;
}

function telling({ asked = (request) => request, id, json, frames, ...operation }: Telling): FakeOperation {
  return {
    ...operation,
    compose: (request, script) => {
      const answer = answerTo(asked(request), script);
      return {
        id: id(request, answer),
        usage: answer.usage,
        json: () => json(answer, script, request),
        frames: () => frames(answer, script, request),
      };
    },
  };
}

/** Where another path means the same as a stream. */
const twice = (suffixes: readonly [whole: string, stream: string], told: Omit<Telling, 'suffix'>): FakeOperation[] =>
  suffixes.map((suffix, index) => telling({ ...told, suffix, isStream: index === 1 }));

const numbered = (prefix: string) => (request: AnswerRequest) => `${prefix}${request.serial}`;

const overOllama = {
  family: 'ollama',
  streamsByDefault: true,
  render: ollamaLine,
  streamType: 'application/x-ndjson',
  asked: ollamaRequest,
  id: numbered(''),
} as const;

const claude = { id: numbered('msg_'), json: anthropicMessage, frames: messageFrames } as const;

export const operations: readonly FakeOperation[] = [
  ...taskOperations,
  telling({
    family: 'openai',
    suffix: '/chat/completions',
    requiredFields: ['messages'],
    id: numbered('chatcmpl-'),
    json: chatCompletion,
    frames: (answer, script, request) =>
      isMistral(request.body)
        ? mistralFrames(chatFrames(answer, script, true))
        : chatFrames(answer, script, wantsUsage(request)),
  }),
  telling({
    family: 'openai',
    suffix: '/completions',
    requiredFields: ['prompt'],
    asked: (request) => ({ ...request, maxTokensDefault: 16 }),
    id: numbered('cmpl-'),
    json: textCompletion,
    frames: (answer, script, request) => textCompletionFrames(answer, script, wantsUsage(request)),
  }),
  {
    family: 'openai',
    suffix: '/embeddings',
    requiredFields: ['input'],
    compose: (request, script) => {
      const { answer, inputTokens } = embeddingList(request.body, request.bodyBytes, script);
      return { id: `embd-${request.serial}`, usage: { ...nothingUsed, inputTokens }, json: () => answer };
    },
  },
  telling({
    family: 'openai',
    suffix: '/responses',
    requiredFields: ['model'],
    id: numbered('resp_'),
    json: (answer, script, request) => response(answer, script, request.body),
    frames: (answer, script, request) => responseFrames(answer, script, request.body),
  }),
  {
    family: 'openai',
    suffix: '/responses/compact',
    requiredFields: ['model', 'input'],
    compose: (request, script) => {
      const answer = answerTo(request, script);
      const id = `resp_${request.serial}`;
      const output = [{ id: `cmp_${request.serial}`, type: 'compaction', encrypted_content: 'sealed' }];
      const whole = response(answer, script, request.body) as { usage: unknown };
      const told = { id, object: 'response.compaction', created_at: 1, output, usage: whole.usage };
      return { id, usage: answer.usage, json: () => told };
    },
  },
  telling({
    family: 'cohere',
    suffix: '/v2/chat',
    requiredFields: ['model', 'messages'],
    asked: cohereRequest,
    id: numbered(''),
    json: cohereAnswer,
    frames: cohereFrames,
  }),
  telling({
    ...overOllama,
    suffix: '/api/chat',
    requiredFields: ['model', 'messages'],
    json: ollamaAnswer,
    frames: ollamaFrames,
  }),
  telling({
    ...overOllama,
    suffix: '/api/generate',
    requiredFields: ['model', 'prompt'],
    json: (answer, script) => generated(ollamaAnswer(answer, script)),
    frames: generatedFrames,
  }),
  telling({ ...claude, family: 'anthropic', suffix: '/messages', requiredFields: ['max_tokens', 'messages'] }),
  {
    family: 'anthropic',
    suffix: '/messages/count_tokens',
    requiredFields: ['messages'],
    compose: (request) => ({
      id: `count_${request.serial}`,
      usage: nothingUsed,
      json: () => ({ input_tokens: promptTokens(request.body, request.bodyBytes) }),
    }),
  },
  ...twice(['/converse', '/converse-stream'], {
    family: 'amazon',
    render: renderAwsFrame,
    requiredFields: ['messages'],
    asked: converseRequest,
    id: (_, answer) => answer.serial,
    json: converseAnswer,
    frames: converseFrames,
  }),
  ...twice(['/invoke', '/invoke-with-response-stream'], {
    ...claude,
    family: 'amazon',
    render: renderAwsChunk,
    requiredFields: ['anthropic_version', 'max_tokens', 'messages'],
  }),
  ...twice([':generateContent', ':streamGenerateContent'], {
    family: 'google',
    requiredFields: ['contents'],
    asked: geminiRequest,
    id: (_, answer) => answer.serial,
    json: geminiAnswer,
    frames: geminiFrames,
  }),
];

/** The operation whose suffix is the longest that fits. */
export function operationFor(path: string): FakeOperation | undefined {
  return operations
    .filter((operation) => path.endsWith(operation.suffix))
    .sort((a, b) => b.suffix.length - a.suffix.length)[0];
}

export function errorBody(family: FakeOperation['family'], status: number, error?: ScriptedError): unknown {
  const told = {
    anthropic: anthropicError,
    amazon: amazonError,
    google: googleError,
    openai: openaiError,
    cohere: amazonError,
    ollama: ollamaError,
  }[family];
  return told(status, error);
}

function wantsUsage(request: AnswerRequest): boolean {
  const options = request.body.stream_options;
  return isRecord(options) && options.include_usage === true;
}
