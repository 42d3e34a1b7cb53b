import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { ContentBlock, NeutralRequest, ToolChoice } from '../../src/core/neutral.ts';
import { noUsage, type Usage } from '../../src/core/usage.ts';

/* Neutral values that several dialects can say. */

export const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => text.trim() === text);
export const jsonValue = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
export const schema: fc.Arbitrary<JsonObject> = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(word, fc.constantFrom({ type: 'string' }, { type: 'number' }), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
});
export const mark = fc.constantFrom<JsonObject>({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' });
export const base64 = fc.base64String({ maxLength: 16 });
export const callArguments = fc
  .dictionary(word, fc.oneof(word, fc.integer(), fc.boolean()), { maxKeys: 3, noNullPrototype: true })
  .map((value) => JSON.stringify(value));
export const number = fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0);
export const whole = fc.nat({ max: 100_000 });
export const extra = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 6 }).map((name) => `x_${name}`),
  jsonValue,
  { maxKeys: 2, noNullPrototype: true },
);

export const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

export const textBlock = fc.record(
  { type: fc.constant('text' as const), text: word, cacheMark: mark },
  { requiredKeys: ['type', 'text'] },
);
export const imageSource = fc.oneof(
  base64.map((data) => ({ kind: 'base64' as const, mediaType: 'image/png', base64: data })),
  fc.webUrl().map((url) => ({ kind: 'url' as const, url })),
);
export const imageBlock = fc.record(
  { type: fc.constant('image' as const), source: imageSource, cacheMark: mark },
  { requiredKeys: ['type', 'source'] },
);
export const fileBlock = fc.record(
  {
    type: fc.constant('file' as const),
    source: fc.oneof(
      base64.map((data) => ({ kind: 'base64' as const, mediaType: 'application/pdf', base64: data })),
      fc.uuid().map((id) => ({ kind: 'id' as const, id: `file-${id}` })),
    ),
    name: word,
    cacheMark: mark,
  },
  { requiredKeys: ['type', 'source'] },
);
export const signedReasoning = fc.oneof(
  fc.record({ type: fc.constant('reasoning' as const), text: word, signature: word }),
  fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), redacted: word }),
);
export const toolCall = fc.record(
  { type: fc.constant('tool_call' as const), id: word, name: word, arguments: callArguments, cacheMark: mark },
  { requiredKeys: ['type', 'id', 'name', 'arguments'] },
);

/** Blocks of an assistant in the order both formats keep. */
export const assistantContent = fc
  .tuple(
    fc.array(signedReasoning, { maxLength: 2 }),
    fc.array(textBlock, { maxLength: 1 }),
    fc.array(toolCall, { maxLength: 2 }),
  )
  .map((groups): ContentBlock[] => groups.flat())
  .filter((content) => content.length > 0);

/** Usage in the classes that a format tells apart. */
export function usageOf(classes: readonly (keyof Usage)[]): fc.Arbitrary<Usage> {
  const figures = fc.record(Object.fromEntries(classes.map((name) => [name, whole]))) as unknown as fc.Arbitrary<
    Partial<Usage>
  >;
  return figures.map((known) => ({ ...noUsage, ...known }));
}

/** A request that asks for nothing but an answer. */
export const plainRequest: NeutralRequest = {
  model: 'm',
  stream: false,
  system: [],
  messages: [],
  tools: [],
  toolChoice: undefined,
  parallelToolCalls: undefined,
  maxOutputTokens: undefined,
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
  includeUsageInStream: false,
  extra: {},
};

export const tool = fc.record(
  { name: word, description: word, parameters: schema, strict: fc.boolean(), cacheMark: mark },
  { requiredKeys: ['name', 'parameters'] },
);
export const toolChoice = fc.oneof(
  fc.constantFrom({ type: 'auto' as const }, { type: 'required' as const }),
  word.map((name) => ({ type: 'tool' as const, name })),
);

/** A choice that the request's tools allow. */
export function fittingChoice({
  tools,
  toolChoice: choice,
}: Pick<NeutralRequest, 'tools'> & { toolChoice?: ToolChoice | undefined }): ToolChoice | undefined {
  const [first] = tools;
  if (first === undefined) return undefined;
  return choice?.type === 'tool' ? { type: 'tool', name: first.name } : choice;
}
