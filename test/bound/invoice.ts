import cl100k from 'gpt-tokenizer/encoding/cl100k_base';
import o200k from 'gpt-tokenizer/encoding/o200k_base';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { isJsonObject } from '../../src/core/json.ts';
import type { Deployment } from '../../src/core/route.ts';
import { noUsage, type Usage } from '../../src/core/usage.ts';
import type { SeededChance } from '../simulation/seeded-chance.ts';

type Count = (text: string) => number;

const specialTokens = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/** Tokenizers in use, and the worst there can be: a token for every byte, as the text is or normalised. */
const bytewise: readonly Count[] = [
  (text) => Buffer.byteLength(text),
  (text) => Buffer.byteLength(text.normalize('NFKC')),
  (text) => Buffer.byteLength(text.normalize('NFC')),
];
const inUse: readonly Count[] = [
  (text) => o200k.encode(text, specialTokens).length,
  (text) => cl100k.encode(text, specialTokens).length,
];

/** Tokens around each message, and around the whole conversation. */
const perMessage = 4;
const perConversation = 30;
/** What a provider adds to say how tools are called, or in which shape to answer. */
const perInstruction = 600;
const perImage = 1_600;

const framing: ReadonlySet<string> = new Set(['role', 'type', 'model', 'id', 'tool_call_id', 'url', 'media_type']);

/** What a provider that reads this body may bill at the worst, in classes chosen by chance. */
export function invoiceOf(body: JsonObject, deployment: Deployment, chance: SeededChance): Usage {
  const count = chance.happens(0.02) ? chance.pick(inUse) : chance.pick(bytewise);
  const context = deployment.limits.inputTokensMax;
  const searches = searchesOf(body, chance);
  const read = readTokens(body, count);
  const once = context === null ? read : Math.min(read + mediaTokens(body, chance), context);
  // After each search the model reads everything again, and what was found.
  const input = once + searches * (context ?? once);
  const output = Math.min(capOf(body) ?? Number.POSITIVE_INFINITY, modelCap(deployment)) * answersOf(body);
  return {
    ...noUsage,
    ...splitInput(input, chance),
    ...splitOutput(isEmbedding(body) ? 0 : output, chance),
    webSearchCalls: searches,
    ...tierOf(deployment, chance),
  };
}

function readTokens(body: JsonObject, count: Count): number {
  const prompt = body.prompt ?? body.input;
  if (prompt !== undefined) return promptTokens(prompt, count);
  const messages = Array.isArray(body.messages) ? body.messages : [];
  let tokens =
    perConversation + messages.length * perMessage + textTokens(messages, count) + textTokens(body.system, count);
  let isInstructed = false;
  for (const name of ['tools', 'functions', 'response_format', 'output_config']) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    isInstructed = true;
    tokens += count(JSON.stringify(value));
  }
  return tokens + (isInstructed ? perInstruction : 0);
}

/** With two marks around every entry, as some models want them. */
function promptTokens(prompt: Json, count: Count): number {
  if (typeof prompt === 'string') return count(prompt) + 2;
  if (!Array.isArray(prompt)) return 0;
  if (typeof prompt[0] === 'number') return prompt.length + 2;
  return prompt.reduce<number>((sum, entry) => sum + promptTokens(entry as Json, count), 0);
}

function textTokens(value: Json | undefined, count: Count): number {
  if (typeof value === 'string') return count(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + textTokens(entry, count), 0);
  if (!isJsonObject(value)) return 0;
  let tokens = 0;
  for (const [name, member] of Object.entries(value))
    if (!framing.has(name)) tokens += textTokens(member as Json, count);
  return tokens;
}

function mediaTokens(body: JsonObject, chance: SeededChance): number {
  const images = JSON.stringify(body.messages ?? '').match(/"type":"image(?:_url)?"/g)?.length ?? 0;
  return images * chance.between(85, perImage * 10);
}

function searchesOf(body: JsonObject, chance: SeededChance): number {
  if (body.web_search_options !== undefined) return chance.between(0, 10);
  const tools = Array.isArray(body.tools) ? body.tools : [];
  let most = 0;
  for (const tool of tools) {
    if (isJsonObject(tool) && typeof tool.type === 'string' && tool.type.startsWith('web_search'))
      most += (tool.max_uses as number) ?? 10;
  }
  return most === 0 ? 0 : chance.between(0, most);
}

/** Providers differ in which name they obey: the one that costs more. */
function capOf(body: JsonObject): number | null {
  const caps = [body.max_tokens, body.max_completion_tokens].filter((value) => typeof value === 'number');
  return caps.length === 0 ? null : Math.max(...caps);
}

function modelCap({ limits }: Deployment): number {
  return limits.outputTokensMax ?? limits.inputTokensMax ?? 131_072;
}

function answersOf(body: JsonObject): number {
  const { prompt } = body;
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
  return prompts * Math.max(1, (body.n as number) ?? 1, (body.best_of as number) ?? 1);
}

const isEmbedding = (body: JsonObject): boolean => body.input !== undefined;

function splitInput(tokens: number, chance: SeededChance): Partial<Usage> {
  const names = [
    'inputTokens',
    'cacheReadTokens',
    'cacheWriteTokens',
    'cacheWriteLongTokens',
    'inputAudioTokens',
    'inputImageTokens',
  ] as const;
  return split(tokens, names, chance);
}

function splitOutput(tokens: number, chance: SeededChance): Partial<Usage> {
  return split(tokens, ['outputTokens', 'reasoningTokens', 'outputAudioTokens'] as const, chance);
}

function split<Name extends string>(
  tokens: number,
  names: readonly Name[],
  chance: SeededChance,
): Record<Name, number> {
  const parts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  let left = tokens;
  for (let tries = chance.between(0, 2); tries > 0 && left > 0; tries--) {
    const part = chance.between(0, left);
    parts[chance.pick(names)] += part;
    left -= part;
  }
  parts[chance.pick(names)] += left;
  return parts;
}

function tierOf({ price }: Deployment, chance: SeededChance): Partial<Usage> {
  const tiers = Object.keys(price?.serviceTiers ?? {});
  return tiers.length > 0 && chance.happens(0.5) ? { serviceTier: chance.pick(tiers) } : {};
}
