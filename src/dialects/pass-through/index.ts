import type { Dialect, RequestFacts, StreamProgress, StreamRelay } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { decodeLatin1, EventReader, EventSplitter } from '../../core/server-sent-events.ts';
import { newStreamProgress } from '../../core/stream-progress.ts';
import { parseEventData } from '../event-decoder.ts';
import { openaiErrors } from '../openai-chat/errors.ts';
import { plainFacts } from '../task-dialect.ts';
import { anyUsage, laterUsage } from './usage.ts';

/** Where other formats name their model: in the address. */
const modelInPath = /\/(?:models\/([^/:]+)|(?:model|deployments|engines)\/([^/]+)\/)/;
const outputLimits = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;

/** Bodies that are not read, but for what money and limits must know. */
export const passThrough: Dialect = Object.freeze({
  name: 'pass-through',
  operation: 'pass_through',
  inspect: (body: JsonObject, address?: { readonly path?: string }): RequestFacts => {
    const path = address?.path ?? '';
    const match = modelInPath.exec(path);
    const inPath = match?.[1] ?? match?.[2];
    const model = inPath === undefined ? body.model : decoded(inPath);
    const configured = isJsonObject(body.generationConfig) ? body.generationConfig.maxOutputTokens : undefined;
    const limit = [...outputLimits.map((name) => body[name]), configured].find((value) => typeof value === 'number');
    return {
      ...plainFacts,
      model: typeof model === 'string' && model !== '' ? model.replace(/^models\//, '') : undefined,
      stream: body.stream === true || /stream/i.test(path),
      maxOutputTokens: typeof limit === 'number' && limit >= 0 ? Math.floor(limit) : undefined,
      choices: typeof body.n === 'number' && body.n > 0 ? Math.floor(body.n) : 1,
      // Nobody knows what else is in it.
      inputUnbounded: /"(?:image_url|file_id|fileData|file_data|previous_response_id|url)"/.test(JSON.stringify(body)),
    };
  },
  request: { decode: never, encode: never },
  passThrough: () => new Map(),
  response: {
    decode: never,
    encode: never,
    read: (body: JsonObject) => ({
      id: undefined,
      model: typeof body.model === 'string' ? body.model : undefined,
      usage: anyUsage(body),
      finishReason: null,
      outputBytes: textBytes(body),
    }),
  },
  rawAnswer: (_options: unknown, contentType: string) => new OpaqueRelay(contentType),
  relay: () => new OpaqueRelay('text/event-stream'),
  streamDecoder: never,
  streamEncoder: never,
  errors: openaiErrors,
  heartbeat: null,
  streamContentType: 'text/event-stream',
} satisfies Dialect);

function never(): never {
  throw new GatewayError('internal', 'a body that is passed through is never read');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Bytes as they come; events are read along for the usage they tell. */
class OpaqueRelay implements StreamRelay {
  readonly progress: StreamProgress = newStreamProgress();
  readonly rawContentType: string;
  readonly #splitter: EventSplitter | null;
  readonly #reader = new EventReader();

  constructor(contentType: string) {
    this.rawContentType = contentType;
    this.#splitter = contentType.startsWith('text/event-stream') ? new EventSplitter() : null;
  }

  push(chunk: Uint8Array): Uint8Array {
    this.progress.contentStarted = true;
    this.progress.events += 1;
    const whole = this.#splitter?.push(chunk) ?? null;
    if (whole !== null) this.#read(whole);
    return chunk;
  }

  end(): null {
    const rest = this.#splitter?.rest() ?? null;
    if (rest !== null) this.#read(Buffer.concat([rest, Buffer.from('\n\n')]));
    this.progress.ending = 'complete';
    return null;
  }

  #read(whole: Buffer): void {
    const reader = this.#reader;
    reader.open(whole.toString('latin1'));
    while (reader.next()) {
      if (reader.data === null || !reader.data.startsWith('{')) continue;
      const event = parseEventData(decodeLatin1(reader.data));
      if (event === undefined) continue;
      this.progress.outputBytes += textBytes(event);
      this.progress.usage = laterUsage(this.progress.usage, anyUsage(event));
      this.progress.usageComplete = this.progress.usage !== undefined;
    }
  }
}

const textNames: ReadonlySet<string> = new Set([
  'content',
  'text',
  'delta',
  'partial_json',
  'arguments',
  'thinking',
  'reasoning_content',
]);

/** Bytes of generated text in an answer or an event of it, by the names that formats have for it. */
function textBytes(value: Json | undefined, depth = 0): number {
  if (depth > 8) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + textBytes(entry, depth + 1), 0);
  if (!isJsonObject(value)) return 0;
  let sum = 0;
  for (const name in value) {
    const member = value[name];
    sum += typeof member === 'string' && textNames.has(name) ? Buffer.byteLength(member) : textBytes(member, depth + 1);
  }
  return sum;
}
