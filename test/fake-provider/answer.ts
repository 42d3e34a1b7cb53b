import { isRecord } from './json.ts';
import { lastText, promptTokens } from './prompt.ts';
import type { FakeUsage, Script } from './script.ts';
import { hashOf, type Piece, piecesOf, plausibleText } from './text.ts';

/** An answer in no dialect yet: what will be said, in pieces, and what it will cost. */
export interface Answer {
  readonly model: string;
  /** Follows from the request, so that the same request gets the same bytes; `serial` tells two of them apart. */
  readonly serial: string;
  readonly choices: readonly AnswerChoice[];
  readonly usage: FakeUsage;
  /** How fast and where the caller wants it: Anthropic tells both again beside the figures. */
  readonly terms: { readonly speed?: string; readonly inference_geo?: string };
}

export interface AnswerChoice {
  readonly reasoning: readonly Piece[];
  readonly text: readonly Piece[];
  readonly toolCalls: readonly AnswerToolCall[];
  /** Why it ended, in neutral words; each dialect has its own. */
  readonly finish: 'stop' | 'length' | 'tool-calls';
}

export interface AnswerToolCall {
  readonly id: string;
  readonly name: string;
  readonly pieces: readonly Piece[];
}

export interface AnswerRequest {
  readonly body: Readonly<Record<string, unknown>>;
  readonly bodyBytes: number;
  readonly serial: string;
  /** Output limit where the caller names none (16 for OpenAI's old completions). */
  readonly maxTokensDefault?: number;
}

export function answerTo(request: AnswerRequest, script: Script): Answer {
  const { body } = request;
  const named = body.max_completion_tokens ?? body.max_output_tokens ?? body.max_tokens ?? request.maxTokensDefault;
  const tokensMax = script.ignoreMaxTokens || typeof named !== 'number' ? Number.POSITIVE_INFINITY : named;
  const count = typeof body.n === 'number' && body.n > 0 ? body.n : 1;
  const choices = Array.from({ length: count }, (_, index) => choiceOf(request, script, index, tokensMax));
  return {
    model: typeof body.model === 'string' ? body.model : 'unknown-model',
    serial: request.serial,
    choices,
    terms: {
      ...(typeof body.speed === 'string' ? { speed: body.speed } : {}),
      ...(typeof body.inference_geo === 'string' ? { inference_geo: body.inference_geo } : {}),
    },
    usage: { ...billedUsage(request, choices), ...(typeof script.usage === 'object' ? script.usage : {}) },
  };
}

function choiceOf(request: AnswerRequest, script: Script, index: number, tokensMax: number): AnswerChoice {
  const calls = script.toolCalls ?? forcedToolCalls(request.body);
  const text = script.text ?? (calls.length > 0 ? '' : defaultText(request.body, index));
  let left = tokensMax;
  let isCut = false;
  const take = (pieces: readonly Piece[]): Piece[] => {
    const kept: Piece[] = [];
    for (const piece of pieces) {
      if (piece.tokens > left) {
        isCut = true;
        left = 0;
        break;
      }
      left -= piece.tokens;
      kept.push(piece);
    }
    return kept;
  };
  const reasoning = take(piecesOf(script.reasoning ?? '', script.charactersPerPiece));
  const pieces = take(piecesOf(text, script.charactersPerPiece));
  const toolCalls: AnswerToolCall[] = [];
  for (const [callIndex, call] of calls.entries()) {
    if (isCut) break;
    const json = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
    toolCalls.push({
      id: call.id ?? `${request.serial}${index}${callIndex}`,
      name: call.name,
      pieces: take(piecesOf(json, script.charactersPerPiece)),
    });
  }
  return {
    reasoning,
    text: pieces,
    toolCalls,
    finish: isCut ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

function defaultText(body: Readonly<Record<string, unknown>>, index: number): string {
  const text = plausibleText(lastText(body), index);
  const format = body.response_format;
  return isRecord(format) && typeof format.type === 'string' && format.type.startsWith('json')
    ? JSON.stringify({ answer: text })
    : text;
}

function billedUsage(request: AnswerRequest, choices: readonly AnswerChoice[]): FakeUsage {
  const reasoningTokens = choices.reduce((sum, choice) => sum + tokensOf(choice.reasoning), 0);
  let outputTokens = reasoningTokens;
  for (const choice of choices) {
    outputTokens += tokensOf(choice.text);
    for (const call of choice.toolCalls) outputTokens += tokensOf(call.pieces);
  }
  return {
    inputTokens: promptTokens(request.body, request.bodyBytes),
    cachedTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: 0,
    outputTokens,
    reasoningTokens,
  };
}

export function tokensOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, 0);
}

export function joined(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join('');
}

/** A caller who insists on a tool gets one, with arguments that fit its schema. */
function forcedToolCalls(
  body: Readonly<Record<string, unknown>>,
): { name: string; arguments: Record<string, unknown>; id?: string }[] {
  const choice = body.tool_choice;
  const kind = isRecord(choice) ? choice.type : choice;
  if (kind !== 'required' && kind !== 'any' && kind !== 'tool' && kind !== 'function') return [];
  const tools = (Array.isArray(body.tools) ? body.tools : [])
    .filter(isRecord)
    .map((tool) => (isRecord(tool.function) ? tool.function : tool));
  const chosen = isRecord(choice) ? (isRecord(choice.function) ? choice.function.name : choice.name) : undefined;
  const tool = chosen === undefined ? tools[0] : tools.find((candidate) => candidate.name === chosen);
  if (tool === undefined) return [];
  const example = exampleOf(tool.parameters ?? tool.input_schema);
  return [{ name: String(tool.name), arguments: isRecord(example) ? example : {} }];
}

function exampleOf(schema: unknown): unknown {
  if (!isRecord(schema)) return {};
  if (Array.isArray(schema.enum)) return schema.enum[0];
  switch (schema.type) {
    case 'string':
      return `example-${(hashOf(JSON.stringify(schema)) % 100).toString()}`;
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [exampleOf(schema.items)];
    default: {
      const properties = isRecord(schema.properties) ? Object.entries(schema.properties) : [];
      return Object.fromEntries(properties.map(([name, property]) => [name, exampleOf(property)]));
    }
  }
}
