import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAmazonBedrockAnthropic } from '@ai-sdk/amazon-bedrock/anthropic';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createCohere } from '@ai-sdk/cohere';
import { createGoogle } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, jsonSchema, type LanguageModel, type ModelMessage, streamText, tool } from 'ai';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const tools = {
  [weather.name]: tool({ description: weather.description, inputSchema: jsonSchema<object>(weather.schema) }),
};

function through(provider: string, open: (url: string, apiKey: string) => (model: string) => LanguageModel): Client {
  return {
    name: `ai, ${provider}`,
    finishes: { said: 'stop', called: 'tool-calls' },
    open: (url, key) => {
      const choose = open(url, key);
      return (model, hasTools) => {
        const messages: ModelMessage[] = [{ role: 'user', content: question }];
        let calls: { toolCallId: string; toolName: string; input: unknown }[] = [];
        const send = async (isStream: boolean): Promise<Heard> => {
          const asked = { model: choose(model), messages, maxRetries: 0, ...(hasTools && { tools }) };
          const told = isStream ? await streamed(asked) : await generateText(asked);
          messages.push(...(await told.response).messages);
          calls = await told.toolCalls;
          const usage = await told.usage;
          return {
            text: await told.text,
            calls: calls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
            finish: await told.finishReason,
            inputTokens: usage.inputTokens,
            outputTokens: usage.outputTokens,
          };
        };
        return conversation(send, (results) => {
          const content = calls.map(({ toolCallId, toolName }, at) => ({
            type: 'tool-result' as const,
            toolCallId,
            toolName,
            output: { type: 'text' as const, value: results[at]! },
          }));
          messages.push({ role: 'tool', content });
        });
      };
    },
    failure: (error) =>
      APICallError.isInstance(error)
        ? { status: error.statusCode, message: `${error.message} ${error.responseBody}` }
        : undefined,
  };
}

/** Errors are among the parts of a stream; the client only prints them unless somebody looks. */
async function streamed(asked: Parameters<typeof streamText>[0]) {
  const told = streamText({ ...asked, onError: () => undefined });
  for await (const part of told.fullStream) if (part.type === 'error') throw part.error;
  return told;
}

export const aiClients: readonly Client[] = [
  through('openai.chat', (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat),
  through('openai.responses', (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses),
  through('anthropic', (url, apiKey) => createAnthropic({ baseURL: `${url}/v1`, apiKey })),
  through('google', (url, apiKey) => createGoogle({ baseURL: `${url}/v1beta`, apiKey })),
  through('amazon-bedrock', (baseURL, apiKey) => createAmazonBedrock({ baseURL, apiKey, region: 'us-east-1' })),
  through('amazon-bedrock/anthropic', (baseURL, apiKey) =>
    createAmazonBedrockAnthropic({ baseURL, apiKey, region: 'us-east-1' }),
  ),
  through('cohere', (url, apiKey) => createCohere({ baseURL: `${url}/v2`, apiKey })),
  through('mistral', (url, apiKey) => createMistral({ baseURL: `${url}/mistral-api/v1`, apiKey })),
  {
    ...through('groq', (url, apiKey) => createGroq({ baseURL: `${url}/openai/v1`, apiKey })),
    readsUsageInStreams: false,
  },
];
