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

export const operations: readonly FakeOperation[] = [
  ...taskOperations,
  {
    family: 'openai',
    suffix: '/chat/completions',
    requiredFields: ['messages'],
    compose: (request, script) => {
      const answer = answerTo(request, script);
      return {
        id: `chatcmpl-${request.serial}`,
        usage: answer.usage,
        json: () => chatCompletion(answer, script),
        frames: () =>
          isMistral(request.body)
            ? mistralFrames(chatFrames(answer, script, true))
            : chatFrames(answer, script, wantsUsage(request)),
      };
    },
  },
  {
    family: 'openai',
    suffix: '/completions',
    requiredFields: ['prompt'],
    compose: (request, script) => {
      const answer = answerTo({ ...request, maxTokensDefault: 16 }, script);
      return {
        id: `cmpl-${request.serial}`,
        usage: answer.usage,
        json: () => textCompletion(answer, script),
        frames: () => textCompletionFrames(answer, script, wantsUsage(request)),
      };
    },
  },
  {
    family: 'openai',
    suffix: '/embeddings',
    requiredFields: ['input'],
    compose: (request, script) => {
      const { answer, inputTokens } = embeddingList(request.body, request.bodyBytes, script);
      return { id: `embd-${request.serial}`, usage: { ...nothingUsed, inputTokens }, json: () => answer };
    },
  },
  {
    family: 'openai',
    suffix: '/responses',
    requiredFields: ['model'],
    compose: (request, script) => {
      const answer = answerTo(request, script);
      return {
        id: `resp_${request.serial}`,
        usage: answer.usage,
        json: () => response(answer, script, request.body),
        frames: () => responseFrames(answer, script, request.body),
      };
    },
  },
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
  {
    family: 'cohere',
    suffix: '/v2/chat',
    requiredFields: ['model', 'messages'],
    compose: (request, script) => {
      const answer = answerTo(cohereRequest(request), script);
      return {
        id: request.serial,
        usage: answer.usage,
        json: () => cohereAnswer(answer, script),
        frames: () => cohereFrames(answer, script),
      };
    },
  },
  {
    family: 'ollama',
    suffix: '/api/chat',
    requiredFields: ['model', 'messages'],
    streamsByDefault: true,
    render: ollamaLine,
    streamType: 'application/x-ndjson',
    compose: (request, script) => {
      const answer = answerTo(ollamaRequest(request), script);
      return {
        id: request.serial,
        usage: answer.usage,
        json: () => ollamaAnswer(answer, script),
        frames: () => ollamaFrames(answer, script),
      };
    },
  },
  {
    family: 'ollama',
    suffix: '/api/generate',
    requiredFields: ['model', 'prompt'],
    streamsByDefault: true,
    render: ollamaLine,
    streamType: 'application/x-ndjson',
    compose: (request, script) => {
      const answer = answerTo(ollamaRequest(request), script);
      return {
        id: request.serial,
        usage: answer.usage,
        json: () => generated(ollamaAnswer(answer, script)),
        frames: () => generatedFrames(answer, script),
      };
    },
  },
  {
    family: 'anthropic',
    suffix: '/messages',
    requiredFields: ['max_tokens', 'messages'],
    compose: (request, script) => {
      const answer: Answer = answerTo(request, script);
      return {
        id: `msg_${request.serial}`,
        usage: answer.usage,
        json: () => anthropicMessage(answer, script),
        frames: () => messageFrames(answer, script),
      };
    },
  },
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
  ...['/converse', '/converse-stream'].map(
    (suffix): FakeOperation => ({
      family: 'amazon',
      suffix,
      isStream: suffix.endsWith('stream'),
      render: renderAwsFrame,
      requiredFields: ['messages'],
      compose: (request, script) => {
        const answer = answerTo(converseRequest(request), script);
        return {
          id: answer.serial,
          usage: answer.usage,
          json: () => converseAnswer(answer, script),
          frames: () => converseFrames(answer, script),
        };
      },
    }),
  ),
  ...['/invoke', '/invoke-with-response-stream'].map(
    (suffix): FakeOperation => ({
      family: 'amazon',
      suffix,
      isStream: suffix.endsWith('stream'),
      render: renderAwsChunk,
      requiredFields: ['anthropic_version', 'max_tokens', 'messages'],
      compose: (request, script) => {
        const answer = answerTo(request, script);
        return {
          id: `msg_${request.serial}`,
          usage: answer.usage,
          json: () => anthropicMessage(answer, script),
          frames: () => messageFrames(answer, script),
        };
      },
    }),
  ),
  ...[':generateContent', ':streamGenerateContent'].map(
    (suffix): FakeOperation => ({
      family: 'google',
      suffix,
      isStream: suffix.startsWith(':stream'),
      requiredFields: ['contents'],
      compose: (request, script) => {
        const answer = answerTo(geminiRequest(request), script);
        return {
          id: answer.serial,
          usage: answer.usage,
          json: () => geminiAnswer(answer, script),
          frames: () => geminiFrames(answer, script),
        };
      },
    }),
  ),
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
