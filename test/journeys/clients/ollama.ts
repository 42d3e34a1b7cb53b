import { type ChatResponse, type Message, Ollama, type ToolCall } from 'ollama';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema: parameters, ...described } = weather;
const tools = [{ type: 'function', function: { ...described, parameters } }];

export const ollamaClient: Client = {
  name: 'ollama',
  finishes: { said: 'stop', called: 'stop' },
  open: (host, key) => {
    const client = new Ollama({ host, headers: { authorization: `Bearer ${key}` } });
    return (model, hasTools) => {
      const messages: Message[] = [{ role: 'user', content: question }];
      let calls: ToolCall[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const body = { model, messages, ...(hasTools && { tools }) };
        const told: ChatResponse[] = [];
        if (isStream) for await (const piece of await client.chat({ ...body, stream: true })) told.push(piece);
        else told.push(await client.chat(body));
        const text = told.map(({ message }) => message.content).join('');
        calls = told.flatMap(({ message }) => message.tool_calls ?? []);
        messages.push({ role: 'assistant', content: text, ...(calls.length > 0 && { tool_calls: calls }) });
        const last = told.at(-1)!;
        return {
          text,
          calls: calls.map(({ function: called }) => called),
          finish: last.done ? last.done_reason : undefined,
          inputTokens: last.prompt_eval_count,
          outputTokens: last.eval_count,
        };
      };
      return conversation(send, (results) => {
        messages.push(
          ...calls.map(({ function: { name } }, at) => ({ role: 'tool', tool_name: name, content: results[at]! })),
        );
      });
    };
  },
  failure: (error) => {
    const told = error as Error & { status_code?: number };
    return told.name === 'ResponseError' ? { status: told.status_code, message: told.message } : undefined;
  },
};
