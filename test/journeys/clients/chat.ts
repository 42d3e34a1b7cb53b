import { Mistral } from '@mistralai/mistralai';
import { SDKError } from '@mistralai/mistralai/models/errors/index.js';
import Groq from 'groq-sdk';
import type { ChatCompletionCreateParamsNonStreaming } from 'groq-sdk/resources/chat/completions.js';
import OpenAI from 'openai';
import OpenAI5 from 'openai-5';
import OpenAI7 from 'openai-7';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

type Message = OpenAI.ChatCompletionMessageParam;
type Chunk = OpenAI.ChatCompletionChunk;
type Call = OpenAI.ChatCompletionMessageFunctionToolCall;

const { schema: parameters, ...described } = weather;
const tools = [{ type: 'function' as const, function: { ...described, parameters } }];
const finishes = { said: 'stop', called: 'tool_calls' };

type Sender = (body: {
  model: string;
  messages: Message[];
  tools?: typeof tools;
  stream: boolean;
}) => Promise<{ message: OpenAI.ChatCompletionMessage; finish: string; usage: OpenAI.CompletionUsage | undefined }>;

/** A conversation in Chat Completions, whoever sends it. */
function chat(sender: Sender, model: string, hasTools: boolean) {
  const messages: Message[] = [{ role: 'user', content: question }];
  let calls: Call[] = [];
  const send = async (stream: boolean): Promise<Heard> => {
    const { message, finish, usage } = await sender({ model, messages, stream, ...(hasTools && { tools }) });
    messages.push(message);
    calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
    return {
      text: message.content ?? '',
      calls: calls.map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
      finish,
      inputTokens: usage?.prompt_tokens,
      outputTokens: usage?.completion_tokens,
    };
  };
  return conversation(send, (results) => {
    messages.push(
      ...calls.map((call, at) => ({ role: 'tool' as const, tool_call_id: call.id, content: results[at]! })),
    );
  });
}

function openai(name: string, Kind: typeof OpenAI): Client {
  return {
    name,
    finishes,
    open: (url, apiKey) => {
      const { completions } = new Kind({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }).chat;
      const sender: Sender = async ({ stream, ...body }) => {
        const completion = stream
          ? await completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion()
          : await completions.create(body);
        const { message, finish_reason } = completion.choices[0]!;
        return { message, finish: finish_reason, usage: completion.usage };
      };
      return (model, hasTools) => chat(sender, model, hasTools);
    },
    failure: (error) => (error instanceof Kind.APIError ? error : undefined),
  };
}

/** What those who have no assembler of their own make of a stream. */
async function assembled(chunks: AsyncIterable<Chunk>): ReturnType<Sender> {
  const calls: Call[] = [];
  let content = '';
  let finish = '';
  let usage: OpenAI.CompletionUsage | undefined;
  for await (const chunk of chunks) {
    const [choice] = chunk.choices;
    content += choice?.delta.content ?? '';
    finish = choice?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
    for (const piece of choice?.delta.tool_calls ?? []) {
      calls[piece.index] ??= { id: piece.id!, type: 'function', function: { name: '', arguments: '' } };
      calls[piece.index]!.function.name += piece.function?.name ?? '';
      calls[piece.index]!.function.arguments += piece.function?.arguments ?? '';
    }
  }
  const message = {
    role: 'assistant' as const,
    content,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return { message, finish, usage };
}

const groq: Client = {
  name: 'groq-sdk',
  finishes,
  open: (url, apiKey) => {
    // It asks at /openai/v1, as its own service has it.
    const { completions } = new Groq({ baseURL: url, apiKey, maxRetries: 0 }).chat;
    const sender: Sender = async ({ stream, ...rest }) => {
      const body = rest as ChatCompletionCreateParamsNonStreaming;
      if (stream) return assembled((await completions.create({ ...body, stream })) as unknown as AsyncIterable<Chunk>);
      const whole = (await completions.create(body)) as unknown as OpenAI.ChatCompletion;
      const { message, finish_reason } = whole.choices[0]!;
      return { message, finish: finish_reason, usage: whole.usage };
    };
    return (model, hasTools) => chat(sender, model, hasTools);
  },
  failure: (error) => (error instanceof Groq.APIError ? (error as { status: number; message: string }) : undefined),
};

type MistralRequest = Parameters<Mistral['chat']['complete']>[0];
type MistralMessage = MistralRequest['messages'][number];

const mistral: Client = {
  name: '@mistralai/mistralai',
  finishes,
  open: (url, apiKey) => {
    const client = new Mistral({ serverURL: `${url}/mistral-api`, apiKey });
    return (model, hasTools) => {
      const messages: MistralMessage[] = [{ role: 'user', content: question }];
      let calls: { id?: string; function: { name: string; arguments: unknown } }[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const body: MistralRequest = { model, messages, ...(hasTools && { tools }) };
        let text = '';
        let finish: string | null | undefined;
        let usage: { promptTokens?: number; completionTokens?: number } | undefined;
        calls = [];
        if (isStream) {
          for await (const { data } of await client.chat.stream(body)) {
            const [choice] = data.choices;
            if (typeof choice?.delta.content === 'string') text += choice.delta.content;
            finish = choice?.finishReason ?? finish;
            usage = data.usage ?? usage;
            for (const piece of choice?.delta.toolCalls ?? []) {
              calls[piece.index!] ??= { id: piece.id!, function: { name: '', arguments: '' } };
              calls[piece.index!]!.function.name += piece.function.name;
              calls[piece.index!]!.function.arguments =
                `${calls[piece.index!]!.function.arguments}${piece.function.arguments}`;
            }
          }
        } else {
          const whole = await client.chat.complete(body);
          const { message, finishReason } = whole.choices[0]!;
          if (typeof message?.content === 'string') text = message.content;
          [finish, usage, calls] = [finishReason, whole.usage, message?.toolCalls ?? []];
        }
        messages.push({ role: 'assistant', content: text, ...(calls.length > 0 && { toolCalls: calls }) } as never);
        return {
          text,
          calls: calls.map(({ function: called }) => ({
            name: called.name,
            arguments: typeof called.arguments === 'string' ? JSON.parse(called.arguments) : called.arguments,
          })),
          finish: finish ?? undefined,
          inputTokens: usage?.promptTokens,
          outputTokens: usage?.completionTokens,
        };
      };
      return conversation(send, (results) => {
        messages.push(
          ...calls.map(({ id, function: { name } }, at) => ({
            role: 'tool' as const,
            toolCallId: id!,
            name,
            content: results[at]!,
          })),
        );
      });
    };
  },
  failure: (error) => (error instanceof SDKError ? { status: error.statusCode, message: error.message } : undefined),
};

export const chatClients: readonly Client[] = [
  openai('openai 6', OpenAI),
  openai('openai 5', OpenAI5 as unknown as typeof OpenAI),
  openai('openai 7', OpenAI7 as unknown as typeof OpenAI),
  groq,
  mistral,
];
