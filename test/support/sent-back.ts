import type { Json, JsonObject } from '../../src/core/json.ts';
import type { DialectName } from '../../src/core/operation.ts';

/* A conversation that goes on: what a provider signed comes back to it through a caller that only knows its own format. */

export const signature = 'c2lnbmVkLWJ5LXRoZS1wcm92aWRlcg==';

export type Echoes = Partial<Record<DialectName, (answer: JsonObject) => JsonObject>>;

const thinking = { type: 'thinking', thinking: 'Hm.', signature };

/** Whole answers, in the words of each provider that signs its reasoning. */
export const signedAnswers: Partial<Record<DialectName, JsonObject>> = {
  'openai-chat': {
    id: 'a',
    object: 'chat.completion',
    model: 'm',
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: 'Yes?', reasoning_content: 'Hm.', thinking_blocks: [thinking] },
      },
    ],
  },
  'openai-responses': {
    id: 'resp_a',
    object: 'response',
    status: 'completed',
    model: 'm',
    output: [
      { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: signature },
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Yes?', annotations: [] }],
      },
    ],
  },
  'anthropic-messages': {
    id: 'msg_a',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [thinking, { type: 'text', text: 'Yes?' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  'bedrock-converse': {
    output: {
      message: {
        role: 'assistant',
        content: [{ reasoningContent: { reasoningText: { text: 'Hm.', signature } } }, { text: 'Yes?' }],
      },
    },
    stopReason: 'end_turn',
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  },
  'gemini-generate': {
    candidates: [
      {
        index: 0,
        finishReason: 'STOP',
        content: {
          role: 'model',
          parts: [
            { text: 'Hm.', thought: true },
            { functionCall: { name: 'weather', args: {} }, thoughtSignature: signature },
          ],
        },
      },
    ],
  },
};

const openaiUser = { role: 'user', content: 'Go on' };
const chatTurns = (message: Json | undefined): JsonObject => ({ model: 'm', messages: [openaiUser, message ?? null] });
const first = (list: Json | undefined) => (list as JsonObject[])[0]!;
const contents = ({ candidates }: JsonObject): JsonObject => ({
  contents: [{ role: 'user', parts: [{ text: 'Hello' }] }, first(candidates).content!],
});
const messages = ({ content }: JsonObject): JsonObject => ({
  model: 'm',
  max_tokens: 4_000,
  messages: [openaiUser, { role: 'assistant', content: content! }],
});

/** The next request of a client that puts what it was told into its conversation. */
export const sentBack: Echoes = {
  'openai-chat': ({ choices }) => chatTurns(first(choices).message),
  'openai-responses': ({ output }) => ({ model: 'm', input: [openaiUser, ...(output as Json[])] }),
  'anthropic-messages': messages,
  'bedrock-invoke': (answer) => ({ ...messages(answer), anthropic_version: 'bedrock-2023-05-31' }),
  'bedrock-converse': ({ output }) => ({
    messages: [{ role: 'user', content: [{ text: 'Hello' }] }, (output as JsonObject).message!],
  }),
  'gemini-generate': contents,
  'gemini-array': (answer) => contents(Array.isArray(answer) ? (answer as JsonObject[])[0]! : answer),
  'cohere-chat': ({ message }) => chatTurns(message),
  'ollama-chat': ({ message }) => chatTurns(message),
};
