import Anthropic from '@anthropic-ai/sdk';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema, ...described } = weather;
const tools = [{ ...described, input_schema: schema }];

export const anthropicClient: Client = {
  name: '@anthropic-ai/sdk',
  finishes: { said: 'end_turn', called: 'tool_use' },
  open: (baseURL, apiKey) => {
    const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
    return (model, hasTools) => {
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: question }];
      let calls: Anthropic.ToolUseBlock[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const body = { model, max_tokens: 1_000, messages, ...(hasTools && { tools }) };
        const whole = isStream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
        messages.push({ role: 'assistant', content: whole.content });
        calls = whole.content.filter((block) => block.type === 'tool_use');
        return {
          text: whole.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
          calls: calls.map(({ name, input }) => ({ name, arguments: input })),
          finish: whole.stop_reason ?? undefined,
          inputTokens: whole.usage.input_tokens,
          outputTokens: whole.usage.output_tokens,
        };
      };
      return conversation(send, (results) => {
        const content = calls.map(({ id }, at) => ({
          type: 'tool_result' as const,
          tool_use_id: id,
          content: results[at]!,
        }));
        messages.push({ role: 'user', content });
      });
    };
  },
  failure: (error) => (error instanceof Anthropic.APIError ? error : undefined),
};
