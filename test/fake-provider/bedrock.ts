import { awsEvent } from '../../src/core/aws-event-stream.ts';
import type { Answer, AnswerChoice, AnswerRequest } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import { isRecord, parseJson } from './json.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly } from './text.ts';

/** Bedrock's Converse. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */

const stopReasons = { stop: 'end_turn', length: 'max_tokens', 'tool-calls': 'tool_use' } as const;
const defaultSignature = 'RmFrZSBzaWduYXR1cmU=';

/** The request in the words that the fake composes answers from. */
export function converseRequest(request: AnswerRequest): AnswerRequest {
  const { body } = request;
  const config = isRecord(body.inferenceConfig) ? body.inferenceConfig : {};
  const toolConfig = isRecord(body.toolConfig) ? body.toolConfig : {};
  const choice = isRecord(toolConfig.toolChoice) ? toolConfig.toolChoice : {};
  const specs = (Array.isArray(toolConfig.tools) ? toolConfig.tools : [])
    .filter(isRecord)
    .map((tool) => tool.toolSpec)
    .filter(isRecord);
  return {
    ...request,
    body: {
      model: body.model,
      system: body.system,
      messages: body.messages,
      max_tokens: config.maxTokens,
      tools: specs.map((spec) => ({
        name: spec.name,
        input_schema: isRecord(spec.inputSchema) ? spec.inputSchema.json : {},
      })),
      ...(isRecord(choice.tool) ? { tool_choice: { type: 'tool', name: choice.tool.name } } : {}),
      ...(choice.any === undefined ? {} : { tool_choice: 'required' }),
    },
  };
}

export function converseAnswer(answer: Answer, script: Script): Record<string, unknown> {
  const choice = answer.choices[0]!;
  return {
    output: { message: { role: 'assistant', content: blocksOf(choice, script).map(({ whole }) => whole) } },
    stopReason: script.omitFinishReason ? undefined : (script.finishReason ?? stopReasons[choice.finish]),
    ...(script.usage === 'none' ? {} : { usage: usageOf(answer.usage) }),
    metrics: { latencyMs: 12 },
  };
}

export function* converseFrames(answer: Answer, script: Script): Generator<Frame> {
  const choice = answer.choices[0]!;
  yield frame('start', 'messageStart', { role: 'assistant' });
  for (const [contentBlockIndex, block] of blocksOf(choice, script).entries()) {
    if (block.start !== undefined) {
      yield frame('start', 'contentBlockStart', { contentBlockIndex, start: block.start });
    }
    for (const { delta, tokens } of block.deltas) {
      yield frame('content', 'contentBlockDelta', { contentBlockIndex, delta }, tokens);
    }
    yield frame('content', 'contentBlockStop', { contentBlockIndex });
  }
  if (!script.omitFinishReason) {
    yield frame('finish', 'messageStop', { stopReason: script.finishReason ?? stopReasons[choice.finish] });
  }
  if (!script.omitDone) {
    const usage = script.usage === 'none' ? {} : { usage: usageOf(answer.usage) };
    yield frame('done', 'metadata', { ...usage, metrics: { latencyMs: 12 } });
  }
}

function frame(kind: Frame['kind'], event: string, payload: object, tokens = 0): Frame {
  return { kind, event, tokens, data: JSON.stringify({ ...payload, p: 'abcdefgh' }) };
}

/** A frame of Amazon's event stream in place of a server-sent event. */
export function renderAwsFrame({ event, data }: Frame): Buffer {
  return awsEvent(event!, JSON.parse(data));
}

/** The same of an event that another format wrote. */
export function renderAwsChunk({ data }: Frame): Buffer {
  return awsEvent('chunk', { bytes: Buffer.from(data).toString('base64'), p: 'abcd' });
}

interface Block {
  readonly whole: object;
  readonly start?: object;
  readonly deltas: Iterable<{ readonly delta: object; readonly tokens: number }>;
}

function blocksOf(choice: AnswerChoice, script: Script): Block[] {
  const blocks: Block[] = [];
  if (choice.reasoning.length > 0) {
    const signature = script.reasoningSignature ?? defaultSignature;
    blocks.push({
      whole: { reasoningContent: { reasoningText: { text: joined(choice.reasoning), signature } } },
      deltas: [
        ...choice.reasoning.map((piece) => ({
          delta: { reasoningContent: { text: piece.text } },
          tokens: piece.tokens,
        })),
        { delta: { reasoningContent: { signature } }, tokens: 0 },
      ],
    });
  }
  if (choice.text.length > 0 || script.endless || choice.toolCalls.length === 0) {
    blocks.push({ whole: { text: joined(choice.text) }, deltas: textDeltas(choice, script) });
  }
  for (const call of choice.toolCalls) {
    const toolUse = { toolUseId: `tooluse_${call.id}`, name: call.name };
    blocks.push({
      whole: { toolUse: { ...toolUse, input: parseJson(joined(call.pieces)) ?? {} } },
      start: { toolUse },
      deltas: call.pieces.map((piece) => ({ delta: { toolUse: { input: piece.text } }, tokens: piece.tokens })),
    });
  }
  return blocks;
}

function* textDeltas(choice: AnswerChoice, script: Script): Generator<{ delta: object; tokens: number }> {
  for (const piece of script.endless ? endlessly(choice.text) : choice.text) {
    yield { delta: { text: piece.text }, tokens: piece.tokens };
  }
}

function usageOf(usage: FakeUsage): Record<string, number> {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedTokens > 0 ? { cacheReadInputTokens: usage.cachedTokens } : {}),
    ...(usage.cacheWriteTokens > 0 ? { cacheWriteInputTokens: usage.cacheWriteTokens } : {}),
  };
}

const bodyFields = new Set(
  `messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
   additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig`.split(/\s+/),
);

/** What the real API refuses. */
export function converseRefusal(body: Readonly<Record<string, unknown>>): string | undefined {
  const unknown = Object.keys(body).find((name) => !bodyFields.has(name));
  if (unknown !== undefined) return `Unexpected field ${unknown}`;
  const messages = Array.isArray(body.messages) ? body.messages.filter(isRecord) : [];
  if (messages[0]?.role !== 'user') return 'A conversation must start with a user message.';
  for (const [index, message] of messages.entries()) {
    const content = Array.isArray(message.content) ? message.content.filter(isRecord) : [];
    if (content.some((block) => block.text === '')) return 'The text field in the ContentBlock object is blank.';
    if (index > 0 && messages[index - 1]!.role === message.role) return 'Roles must alternate.';
    const calls = content.map((block) => block.toolUse).filter(isRecord);
    const next = messages[index + 1];
    const answers = Array.isArray(next?.content) ? next.content.filter(isRecord) : [];
    const answered = new Set(answers.map((block) => (isRecord(block.toolResult) ? block.toolResult.toolUseId : '')));
    const open = calls.find((call) => !answered.has(call.toolUseId));
    if (open !== undefined && next !== undefined)
      return `Expected toolResult blocks for the Ids: ${String(open.toolUseId)}`;
  }
  return undefined;
}
