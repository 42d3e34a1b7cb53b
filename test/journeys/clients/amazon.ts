import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  type ConverseCommandOutput,
  ConverseStreamCommand,
  type Message,
  type ToolUseBlock,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema, ...described } = weather;
const toolConfig = { tools: [{ toolSpec: { ...described, inputSchema: { json: schema } } }] };
type Told = Pick<ConverseCommandOutput, 'stopReason' | 'usage'> & { content: ContentBlock[] };

export const amazonClient: Client = {
  name: '@aws-sdk/client-bedrock-runtime',
  finishes: { said: 'end_turn', called: 'tool_use' },
  open: (endpoint, token) => {
    const client = new BedrockRuntimeClient({
      region: 'us-east-1',
      endpoint,
      token: { token },
      authSchemePreference: ['httpBearerAuth'],
      // Its default speaks HTTP/2 alone.
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 1,
    });
    return (modelId, hasTools) => {
      const messages: Message[] = [{ role: 'user', content: [{ text: question }] }];
      let calls: ToolUseBlock[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const told = await (isStream ? streamed : whole)(client, {
          modelId,
          messages,
          ...(hasTools && { toolConfig }),
        });
        messages.push({ role: 'assistant', content: told.content });
        calls = told.content.flatMap(({ toolUse }) => toolUse ?? []);
        return {
          text: told.content.map(({ text }) => text ?? '').join(''),
          calls: calls.map(({ name, input }) => ({ name: name!, arguments: input })),
          finish: told.stopReason,
          inputTokens: told.usage?.inputTokens,
          outputTokens: told.usage?.outputTokens,
        };
      };
      return conversation(send, (results) => {
        const content = calls.map(({ toolUseId }, at) => ({
          toolResult: { toolUseId, content: [{ text: results[at]! }], status: 'success' as const },
        }));
        messages.push({ role: 'user', content });
      });
    };
  },
  failure: (error) =>
    error instanceof BedrockRuntimeServiceException
      ? { status: error.$metadata.httpStatusCode, message: error.message }
      : undefined,
};

async function whole(client: BedrockRuntimeClient, input: ConverseCommandInput): Promise<Told> {
  const { output, stopReason, usage } = await client.send(new ConverseCommand(input));
  return { content: output!.message!.content!, stopReason, usage };
}

/** The client leaves it to its users to put blocks together. */
async function streamed(client: BedrockRuntimeClient, input: ConverseCommandInput): Promise<Told> {
  const texts: string[] = [];
  const starts: ToolUseBlock[] = [];
  let told: Told = { content: [], stopReason: undefined, usage: undefined };
  const { stream } = await client.send(new ConverseStreamCommand(input));
  for await (const event of stream!) {
    const { contentBlockStart: start, contentBlockDelta: delta, messageStop, metadata } = event;
    if (start?.start?.toolUse) starts[start.contentBlockIndex!] = start.start.toolUse as ToolUseBlock;
    if (delta !== undefined) {
      const at = delta.contentBlockIndex!;
      texts[at] = `${texts[at] ?? ''}${delta.delta?.text ?? delta.delta?.toolUse?.input ?? ''}`;
    }
    if (messageStop !== undefined) told = { ...told, stopReason: messageStop.stopReason };
    if (metadata !== undefined) told = { ...told, usage: metadata.usage };
  }
  const block = (text: string, at: number): ContentBlock =>
    starts[at] === undefined ? { text } : { toolUse: { ...starts[at], input: JSON.parse(text || '{}') } };
  return { ...told, content: texts.map(block).filter(({ text }) => text !== '') };
}
