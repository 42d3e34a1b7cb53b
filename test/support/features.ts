import type { JsonObject } from '../../src/core/json.ts';
import type {
  ContentBlock,
  NeutralMessage,
  NeutralRequest,
  NeutralResponse,
  NeutralTool,
  StreamPart,
} from '../../src/core/neutral.ts';
import type { DialectName } from '../../src/core/operation.ts';
import type { Usage } from '../../src/core/usage.ts';
import { noUsage } from '../../src/core/usage.ts';
import { type Echoes, sentBack, signature, signedAnswers } from './sent-back.ts';

/** Something a request can ask, an answer can hold, or a stream can tell: what it looks like, and whether it is still there. */
export type Feature =
  | {
      readonly name: string;
      readonly kind: 'request';
      readonly hint?: true;
      /** Sent to a model that reasons. */
      readonly reasons?: true;
      ask: NeutralRequest;
      kept(seen: NeutralRequest): boolean;
    }
  | {
      readonly name: string;
      readonly kind: 'echo';
      /** Answers in each provider's words, with something in them that only it can read. */
      readonly native: Partial<Record<DialectName, JsonObject>>;
      /** What each caller makes of the answer in its format: the next request. */
      readonly echo: Echoes;
      readonly secret: string;
    }
  | {
      readonly name: string;
      readonly kind: 'answer';
      readonly hint?: true;
      answer: NeutralResponse;
      kept(seen: NeutralResponse): boolean;
    }
  | {
      readonly name: string;
      readonly kind: 'stream';
      readonly hint?: true;
      parts: StreamPart[];
      kept(seen: StreamPart[]): boolean;
    };

const png = 'iVBORw0KGgo=';
const schema = {
  type: 'object',
  properties: { place: { type: 'string' } },
  required: ['place'],
  additionalProperties: false,
};
const tool: NeutralTool = { name: 'weather', description: 'Weather of a place.', parameters: schema };

function request(changes: Partial<NeutralRequest>): NeutralRequest {
  return {
    model: 'm',
    stream: false,
    system: [],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    maxOutputTokens: 4_000,
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    stop: [],
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: undefined,
    reasoning: undefined,
    endUser: undefined,
    logprobs: undefined,
    serviceTier: undefined,
    includeUsageInStream: true,
    extra: {},
    ...changes,
  };
}

function asked(...content: ContentBlock[]): NeutralRequest {
  return request({ messages: [{ role: 'user', content: [...content, { type: 'text', text: 'What is it?' }] }] });
}

const calls = (count: number): NeutralMessage[] => [
  { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
  {
    role: 'assistant',
    content: Array.from({ length: count }, (_, index) => ({
      type: 'tool_call' as const,
      id: `call_${index}`,
      name: 'weather',
      arguments: `{"place":"Place ${index}"}`,
    })),
  },
  {
    role: 'user',
    content: Array.from({ length: count }, (_, index) => ({
      type: 'tool_result' as const,
      toolCallId: `call_${index}`,
      content: [{ type: 'text' as const, text: `Sun ${index}` }],
    })),
  },
];

function blocks(seen: NeutralRequest): ContentBlock[] {
  return seen.messages.flatMap(({ content }) => content);
}

function mediaKept(type: 'image' | 'file' | 'audio', kind: 'base64' | 'url') {
  return (seen: NeutralRequest) =>
    blocks(seen).some((block) => block.type === type && 'source' in block && block.source.kind === kind);
}

function answer(
  content: ContentBlock[],
  finishReason: 'stop' | 'tool_calls' = 'stop',
  usage: Usage = plainUsage,
): NeutralResponse {
  return {
    id: 'a-1',
    model: 'm',
    createdAt: 1_700_000_000,
    choices: [{ index: 0, content, finishReason }],
    usage,
    extra: {},
  };
}

const plainUsage: Usage = { ...noUsage, inputTokens: 10, outputTokens: 5 };
const fullUsage: Usage = { ...noUsage, inputTokens: 10, cacheReadTokens: 7, outputTokens: 5, reasoningTokens: 3 };

function answerBlocks(seen: NeutralResponse): ContentBlock[] {
  return seen.choices.flatMap(({ content }) => content);
}

function toolCalls(count: number): ContentBlock[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'tool_call',
    id: `call_${index}`,
    name: 'weather',
    arguments: `{"place":"Place ${index}"}`,
  }));
}

function toolParts(count: number): StreamPart[] {
  return stream(
    Array.from({ length: count }, (_, block): StreamPart[] => [
      { type: 'tool-call-start', choice: 0, block, id: `call_${block}`, name: 'weather' },
      { type: 'tool-call-delta', choice: 0, block, arguments: '{"place":' },
      { type: 'tool-call-delta', choice: 0, block, arguments: `"Place ${block}"}` },
      { type: 'block-end', choice: 0, block },
    ]).flat(),
    'tool_calls',
  );
}

function stream(parts: StreamPart[], reason: 'stop' | 'tool_calls' = 'stop', usage: Usage = plainUsage): StreamPart[] {
  return [
    { type: 'start', id: 'a-1', model: 'm', createdAt: 1_700_000_000 },
    ...parts,
    { type: 'finish', choice: 0, reason },
    { type: 'usage', usage },
    { type: 'end' },
  ];
}

const textParts: StreamPart[] = [
  { type: 'text-start', choice: 0, block: 0 },
  { type: 'text-delta', choice: 0, block: 0, text: 'Good ' },
  { type: 'text-delta', choice: 0, block: 0, text: 'day 日' },
  { type: 'block-end', choice: 0, block: 0 },
];

const cited = { start_index: 0, end_index: 4, url: 'https://a.example/x', title: 'A' };
const citation = { type: 'url_citation', url_citation: cited };
const isCited = (annotation: unknown) => JSON.stringify(annotation).includes(cited.url);

function textOf(seen: StreamPart[]): string {
  return seen.flatMap((part) => (part.type === 'text-delta' ? [part.text] : [])).join('');
}

function argumentsOf(seen: StreamPart[]): string[] {
  const byBlock = new Map<number, string>();
  for (const part of seen) {
    if (part.type === 'tool-call-delta') byBlock.set(part.block, (byBlock.get(part.block) ?? '') + part.arguments);
  }
  return [...byBlock.values()].map((text) => JSON.stringify(JSON.parse(text)));
}

function usageOf(seen: StreamPart[]): Usage | undefined {
  return seen
    .flatMap((part) => (part.type === 'usage' ? [part.usage] : part.type === 'start' && part.usage ? [part.usage] : []))
    .at(-1);
}

const isEnded = (seen: StreamPart[]) => seen.at(-1)?.type === 'end';
const callsKept = (count: number) => (seen: NeutralRequest) => {
  const all = blocks(seen);
  const made = all.filter((block) => block.type === 'tool_call');
  const results = all.filter((block) => block.type === 'tool_result');
  const ids = new Set(made.map((block) => block.id));
  return (
    made.length === count &&
    results.length === count &&
    results.every((block) => ids.has(block.toolCallId)) &&
    made.every((block, index) => JSON.parse(block.arguments).place === `Place ${index}`)
  );
};
const answersCalls = (count: number) => (seen: NeutralResponse) => {
  const made = answerBlocks(seen).filter((block) => block.type === 'tool_call');
  return made.length === count && made.every((block, index) => JSON.parse(block.arguments).place === `Place ${index}`);
};

export const features: readonly Feature[] = [
  {
    name: 'system text',
    kind: 'request',
    ask: request({ system: [{ type: 'text', text: 'Be brief.' }] }),
    kept: (seen) => seen.system.some(({ text }) => text === 'Be brief.'),
  },
  {
    name: 'images as bytes',
    kind: 'request',
    ask: asked({ type: 'image', source: { kind: 'base64', mediaType: 'image/png', base64: png } }),
    kept: mediaKept('image', 'base64'),
  },
  {
    name: 'images by address',
    kind: 'request',
    ask: asked({ type: 'image', source: { kind: 'url', url: 'https://pictures.example/a.png' } }),
    kept: mediaKept('image', 'url'),
  },
  {
    name: 'files',
    kind: 'request',
    ask: asked({
      type: 'file',
      name: 'a.pdf',
      source: { kind: 'base64', mediaType: 'application/pdf', base64: 'JVBERi0=' },
    }),
    kept: mediaKept('file', 'base64'),
  },
  {
    name: 'audio',
    kind: 'request',
    ask: asked({
      type: 'audio',
      format: 'wav',
      source: { kind: 'base64', mediaType: 'audio/wav', base64: 'UklGRiQAAABXQVZF' },
    }),
    kept: mediaKept('audio', 'base64'),
  },
  {
    name: 'tools',
    kind: 'request',
    ask: request({ tools: [tool], messages: calls(1) }),
    kept: (seen) =>
      seen.tools.some(({ name, parameters }) => name === 'weather' && parameters !== undefined) && callsKept(1)(seen),
  },
  { name: 'parallel tools', kind: 'request', ask: request({ tools: [tool], messages: calls(3) }), kept: callsKept(3) },
  {
    name: 'tool choice',
    kind: 'request',
    ask: request({ tools: [tool], toolChoice: { type: 'required' } }),
    kept: ({ toolChoice }) => toolChoice?.type === 'required',
  },
  {
    name: 'structured output',
    kind: 'request',
    ask: request({ responseFormat: { type: 'json_schema', name: 'place', schema } }),
    kept: ({ responseFormat }) => responseFormat?.type === 'json_schema',
  },
  {
    name: 'reasoning asked for',
    kind: 'request',
    ask: request({ reasoning: { effort: 'high' } }),
    reasons: true,
    kept: ({ reasoning }) => reasoning !== undefined,
  },
  {
    name: 'reasoning sent back',
    kind: 'echo',
    native: signedAnswers,
    echo: sentBack,
    secret: signature,
  },
  {
    name: 'cache marks',
    kind: 'request',
    ask: request({ system: [{ type: 'text', text: 'Long.', cacheMark: { type: 'ephemeral' } }] }),
    // Providers without marks cache by themselves.
    hint: true,
    kept: ({ system }) => system.some(({ cacheMark }) => cacheMark !== undefined),
  },
  { name: 'answer: tools', kind: 'answer', answer: answer(toolCalls(1), 'tool_calls'), kept: answersCalls(1) },
  { name: 'answer: parallel tools', kind: 'answer', answer: answer(toolCalls(3), 'tool_calls'), kept: answersCalls(3) },
  {
    name: 'answer: reasoning',
    kind: 'answer',
    hint: true,
    answer: answer([
      { type: 'reasoning', text: 'Hm.', signature: 'c2ln' },
      { type: 'text', text: 'Yes.' },
    ]),
    kept: (seen) => answerBlocks(seen).some((block) => block.type === 'reasoning' && block.text === 'Hm.'),
  },
  {
    name: 'answer: usage',
    kind: 'answer',
    answer: answer([{ type: 'text', text: 'Yes.' }], 'stop', fullUsage),
    kept: ({ usage }) => totalOf(usage) === totalOf(fullUsage),
  },
  {
    name: 'answer: citations',
    kind: 'answer',
    hint: true,
    answer: answer([{ type: 'text', text: 'Good day 日', annotations: [citation] }]),
    kept: (seen) =>
      answerBlocks(seen).some((block) => block.type === 'text' && block.annotations?.some((one) => isCited(one))),
  },
  {
    name: 'stream: text',
    kind: 'stream',
    parts: stream(textParts),
    kept: (seen) => textOf(seen) === 'Good day 日' && isEnded(seen),
  },
  {
    name: 'stream: tools',
    kind: 'stream',
    parts: toolParts(1),
    kept: (seen) => `${argumentsOf(seen)}` === '{"place":"Place 0"}',
  },
  {
    name: 'stream: parallel tools',
    kind: 'stream',
    parts: toolParts(3),
    kept: (seen) => `${argumentsOf(seen)}` === [0, 1, 2].map((index) => `{"place":"Place ${index}"}`).join(),
  },
  {
    name: 'stream: reasoning',
    kind: 'stream',
    hint: true,
    parts: stream([
      { type: 'reasoning-start', choice: 0, block: 0 },
      { type: 'reasoning-delta', choice: 0, block: 0, text: 'Hm.' },
      { type: 'reasoning-signature', choice: 0, block: 0, signature: 'c2ln' },
      { type: 'block-end', choice: 0, block: 0 },
      { type: 'text-start', choice: 0, block: 1 },
      { type: 'text-delta', choice: 0, block: 1, text: 'Yes.' },
      { type: 'block-end', choice: 0, block: 1 },
    ]),
    kept: (seen) => seen.some((part) => part.type === 'reasoning-delta') && isEnded(seen),
  },
  {
    name: 'stream: citations',
    kind: 'stream',
    hint: true,
    parts: stream([
      ...textParts.slice(0, -1),
      { type: 'annotation', choice: 0, block: 0, annotation: citation },
      ...textParts.slice(-1),
    ]),
    kept: (seen) => seen.some((part) => part.type === 'annotation' && isCited(part.annotation)) && isEnded(seen),
  },
  {
    name: 'stream: usage',
    kind: 'stream',
    parts: stream(textParts, 'stop', fullUsage),
    kept: (seen) => totalOf(usageOf(seen)) === totalOf(fullUsage),
  },
];

function totalOf(usage: Usage | undefined): string {
  if (usage === undefined) return 'none';
  const { inputTokens, cacheReadTokens, outputTokens, reasoningTokens } = usage;
  return `${inputTokens + cacheReadTokens}/${outputTokens + reasoningTokens}`;
}
