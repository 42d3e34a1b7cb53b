import OpenAI from 'openai';
import OpenAI5 from 'openai-5';
import OpenAI7 from 'openai-7';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema: parameters, ...described } = weather;
const tools = [{ type: 'function' as const, ...described, parameters, strict: false }];

function responses(name: string, Kind: typeof OpenAI): Client {
  return {
    name: `${name}, Responses`,
    // The status of an answer that waits for tools is the same.
    finishes: { said: 'completed', called: 'completed' },
    open: (url, apiKey) => {
      const client = new Kind({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
      return (model, hasTools) => {
        const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: question }];
        let calls: OpenAI.Responses.ResponseFunctionToolCall[] = [];
        const send = async (isStream: boolean): Promise<Heard> => {
          const body = { model, input, store: false, ...(hasTools && { tools }) };
          const whole = isStream
            ? await client.responses.stream(body).finalResponse()
            : await client.responses.create(body);
          const output = whole.output as OpenAI.Responses.ResponseOutputItem[];
          input.push(...(output as OpenAI.Responses.ResponseInputItem[]));
          calls = output.filter((item) => item.type === 'function_call');
          return {
            // Version 5 leaves out `output_text` in what it puts together from a stream.
            text: output
              .flatMap((item) => (item.type === 'message' ? item.content : []))
              .map(textOf)
              .join(''),
            calls: calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) })),
            finish: whole.status,
            inputTokens: whole.usage?.input_tokens,
            outputTokens: whole.usage?.output_tokens,
          };
        };
        return conversation(send, (results) => {
          input.push(
            ...calls.map(({ call_id }, at) => ({
              type: 'function_call_output' as const,
              call_id,
              output: results[at]!,
            })),
          );
        });
      };
    },
    failure: (error) => (error instanceof Kind.APIError ? error : undefined),
  };
}

function textOf(content: OpenAI.Responses.ResponseOutputMessage['content'][number]): string {
  return content.type === 'output_text' ? content.text : '';
}

export const responsesClients: readonly Client[] = [
  responses('openai 6', OpenAI),
  responses('openai 5', OpenAI5 as unknown as typeof OpenAI),
  responses('openai 7', OpenAI7 as unknown as typeof OpenAI),
];
