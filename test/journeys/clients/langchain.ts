import { AIMessageChunk, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema: parameters, ...described } = weather;
const tools = [{ type: 'function' as const, function: { ...described, parameters } }];

function langchain(name: string, useResponsesApi: boolean, finishes: Client['finishes']): Client {
  return {
    name,
    finishes,
    open: (url, apiKey) => (model, hasTools) => {
      const chat = new ChatOpenAI({
        model,
        apiKey,
        useResponsesApi,
        maxRetries: 0,
        configuration: { baseURL: `${url}/v1` },
      });
      const bound = hasTools ? chat.bindTools(tools) : chat;
      const messages: BaseMessage[] = [new HumanMessage(question)];
      let calls: { id?: string }[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        let told = new AIMessageChunk('');
        if (isStream) for await (const chunk of await bound.stream(messages)) told = told.concat(chunk);
        else told = await bound.invoke(messages);
        messages.push(told);
        calls = told.tool_calls ?? [];
        const { finish_reason, status } = told.response_metadata;
        return {
          text: told.text,
          calls: (told.tool_calls ?? []).map(({ name: called, args }) => ({ name: called, arguments: args })),
          finish: String(finish_reason ?? status),
          inputTokens: told.usage_metadata?.input_tokens,
          outputTokens: told.usage_metadata?.output_tokens,
        };
      };
      return conversation(send, (results) => {
        messages.push(...calls.map(({ id }, at) => new ToolMessage({ tool_call_id: id!, content: results[at]! })));
      });
    },
    failure: (error) => {
      const { status, message } = error as Error & { status?: number };
      return typeof status === 'number' ? { status, message } : undefined;
    },
  };
}

export const langchainClients: readonly Client[] = [
  langchain('langchain', false, { said: 'stop', called: 'tool_calls' }),
  langchain('langchain, Responses', true, { said: 'completed', called: 'completed' }),
];
