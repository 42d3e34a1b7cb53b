import { promptTokens } from './prompt.ts';
import type { Script } from './script.ts';
import { hashOf } from './text.ts';

/** OpenAI embeddings. Source: https://platform.openai.com/docs/api-reference/embeddings */
export function embeddingList(
  body: Readonly<Record<string, unknown>>,
  bodyBytes: number,
  script: Script,
): { answer: Record<string, unknown>; inputTokens: number } {
  const inputs = inputsOf(body.input);
  const dimensions = script.embeddingDimensions ?? (typeof body.dimensions === 'number' ? body.dimensions : 256);
  const inputTokens =
    (typeof script.usage === 'object' ? script.usage.inputTokens : undefined) ?? promptTokens(body, bodyBytes);
  return {
    inputTokens,
    answer: {
      object: 'list',
      data: inputs.map((input, index) => ({
        object: 'embedding',
        index,
        embedding: encoded(vectorOf(JSON.stringify(input), dimensions), body.encoding_format),
      })),
      model: body.model,
      ...(script.usage === 'none' ? {} : { usage: { prompt_tokens: inputTokens, total_tokens: inputTokens } }),
    },
  };
}

/** One text, many texts, one list of tokens, or many lists of tokens. */
function inputsOf(input: unknown): unknown[] {
  if (!Array.isArray(input)) return [input];
  return input.length > 0 && typeof input[0] === 'number' ? [input] : input;
}

/** A vector of length 1 that follows from the text alone. */
function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  let state = hashOf(text) || 1;
  let squares = 0;
  for (let index = 0; index < dimensions; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const component = (state | 0) / 0x8000_0000;
    vector[index] = component;
    squares += component * component;
  }
  const norm = Math.sqrt(squares) || 1;
  return vector.map((component) => component / norm);
}

function encoded(vector: Float32Array, format: unknown): number[] | string {
  return format === 'base64'
    ? Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
    : Array.from(vector);
}
