import { type Cohere, CohereClientV2, CohereError } from 'cohere-ai';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema: parameters, ...described } = weather;
const tools = [{ type: 'function' as const, function: { ...described, parameters } }];
type Told = { text: string; calls: Cohere.ToolCallV2[]; finish: string | undefined; usage: Cohere.Usage | undefined };

export const cohereClient: Client = {
  name: 'cohere-ai',
  finishes: { said: 'COMPLETE', called: 'TOOL_CALL' },
  open: (environment, token) => {
    const client = new CohereClientV2({ environment, token, maxRetries: 0 });
    return (model, hasTools) => {
      const messages: Cohere.ChatMessageV2[] = [{ role: 'user', content: question }];
      let calls: Cohere.ToolCallV2[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const body = { model, messages, ...(hasTools && { tools }) };
        const told = isStream ? await streamed(await client.chatStream(body)) : whole(await client.chat(body));
        calls = told.calls;
        messages.push({
          role: 'assistant',
          ...(calls.length > 0 ? { toolCalls: calls, toolPlan: 'I will look.' } : { content: told.text }),
        });
        return {
          text: told.text,
          calls: calls.map(({ function: called }) => ({
            name: called!.name!,
            arguments: JSON.parse(called!.arguments!),
          })),
          finish: told.finish,
          inputTokens: told.usage?.tokens?.inputTokens,
          outputTokens: told.usage?.tokens?.outputTokens,
        };
      };
      return conversation(send, (results) => {
        messages.push(
          ...calls.map(({ id }, at) => ({ role: 'tool' as const, toolCallId: id!, content: results[at]! })),
        );
      });
    };
  },
  failure: (error) =>
    error instanceof CohereError ? { status: error.statusCode, message: JSON.stringify(error.body) } : undefined,
};

function whole({ message, finishReason, usage }: Cohere.V2ChatResponse): Told {
  const text = (message.content ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('');
  return { text, calls: message.toolCalls ?? [], finish: finishReason, usage };
}

async function streamed(events: AsyncIterable<Cohere.V2ChatStreamResponse>): Promise<Told> {
  const told: Told = { text: '', calls: [], finish: undefined, usage: undefined };
  for await (const event of events) {
    if (event.type === 'content-delta') told.text += event.delta?.message?.content?.text ?? '';
    if (event.type === 'tool-call-start') told.calls[event.index!] = event.delta!.message!.toolCalls!;
    if (event.type === 'tool-call-delta') {
      told.calls[event.index!]!.function!.arguments += event.delta!.message!.toolCalls!.function!.arguments!;
    }
    if (event.type === 'message-end') {
      told.finish = event.delta?.finishReason;
      told.usage = event.delta?.usage;
    }
  }
  return { ...told, calls: told.calls.filter(Boolean) };
}
