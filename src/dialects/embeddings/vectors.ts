import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { EmbeddingVector } from '../../core/neutral-tasks.ts';
import { notAnAnswer } from '../event-decoder.ts';

/** Vectors in one encoding, made from another where nothing is lost by it: floats and their base64. */
export function vectorsAs(encoding: string, vectors: Readonly<Record<string, EmbeddingVector[]>>): EmbeddingVector[] {
  const own = vectors[encoding];
  if (own !== undefined) return own;
  if (encoding === 'base64' && vectors.float !== undefined) return vectors.float.map(toBase64);
  if (encoding === 'float' && vectors.base64 !== undefined) return vectors.base64.map(toFloats);
  return Object.values(vectors)[0] ?? [];
}

function toBase64(vector: EmbeddingVector): string {
  if (typeof vector === 'string') return vector;
  const bytes = Buffer.allocUnsafe(vector.length * 4);
  for (let index = 0; index < vector.length; index += 1) bytes.writeFloatLE(vector[index]!, index * 4);
  return bytes.toString('base64');
}

function toFloats(vector: EmbeddingVector): number[] {
  if (typeof vector !== 'string') return vector;
  const bytes = Buffer.from(vector, 'base64');
  const floats: number[] = new Array(Math.floor(bytes.length / 4));
  for (let index = 0; index < floats.length; index += 1) floats[index] = bytes.readFloatLE(index * 4);
  return floats;
}

/** The vectors of `data: [{index, embedding}]`, in order of their index, by the encoding they turn out to be in. */
export function vectorsOfData(data: Json | undefined): Record<string, EmbeddingVector[]> {
  if (!Array.isArray(data)) throw notAnAnswer('data');
  const vectors: EmbeddingVector[] = new Array(data.length);
  for (const [place, entry] of data.entries()) {
    if (!isJsonObject(entry)) throw notAnAnswer(`data[${place}]`);
    const index = typeof entry.index === 'number' && data.length > entry.index ? entry.index : place;
    vectors[index] = vectorOf(entry.embedding, `data[${place}].embedding`);
  }
  for (let index = 0; index < vectors.length; index += 1) {
    if (vectors[index] === undefined) throw notAnAnswer(`data with index ${index}`);
  }
  return { [typeof vectors[0] === 'string' ? 'base64' : 'float']: vectors };
}

export function vectorOf(value: Json | undefined, place: string): EmbeddingVector {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || (value.length > 0 && typeof value[0] !== 'number')) throw notAnAnswer(place);
  return value as number[];
}

export function dataOfVectors(vectors: readonly EmbeddingVector[]): JsonObject[] {
  return vectors.map((embedding, index) => ({ object: 'embedding', index, embedding }));
}
