import { isJsonObject, type Json } from '../../core/json.ts';
import type { MediaSource } from '../../core/neutral.ts';
import type { EmbeddingInput } from '../../core/neutral-tasks.ts';
import { malformed, nameOf } from '../body-checks.ts';
import { inexpressible } from '../parameter-edits.ts';

/** A string, a list of strings or of images, a list of tokens, or a list of lists of tokens. */
export function inputsOf(value: Json | undefined, field: string): EmbeddingInput[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  if (!Array.isArray(value)) throw malformed(field, `expected a string or a list of strings, got ${nameOf(value)}`);
  if (value.length === 0) throw malformed(field, 'the list is empty: at least one entry is needed');
  if (typeof value[0] === 'number') return [{ type: 'tokens', tokens: tokensOf(value, field) }];
  return value.map((entry, index) => inputOf(entry, `${field}[${index}]`));
}

function inputOf(entry: Json, place: string): EmbeddingInput {
  if (typeof entry === 'string') return { type: 'text', text: entry };
  if (Array.isArray(entry) && entry.length === 0)
    throw malformed(place, 'the list is empty: at least one token is needed');
  if (Array.isArray(entry)) return { type: 'tokens', tokens: tokensOf(entry, place) };
  if (isJsonObject(entry)) {
    if (typeof entry.text === 'string') return { type: 'text', text: entry.text };
    const image = isJsonObject(entry.image_url) ? entry.image_url.url : (entry.image_url ?? entry.image);
    return typeof image === 'string' ? { type: 'image', source: sourceOf(image) } : { type: 'vendor', value: entry };
  }
  throw malformed(place, `expected a text, a list of tokens or an object, got ${nameOf(entry)}`);
}

function tokensOf(list: readonly Json[], place: string): number[] {
  const wrong = list.findIndex((entry) => !Number.isSafeInteger(entry));
  if (wrong !== -1) throw malformed(`${place}[${wrong}]`, 'expected a token: a whole number');
  return list as number[];
}

/** An address, a data URL, or bare base64. */
export function sourceOf(text: string): MediaSource {
  const match = /^data:([^;,]+);base64,/.exec(text);
  if (match !== null) return { kind: 'base64', mediaType: match[1]!, base64: text.slice(match[0].length) };
  if (/^https?:\/\//.test(text)) return { kind: 'url', url: text };
  return { kind: 'base64', mediaType: 'image/png', base64: text };
}

export function dataUrlOf(source: MediaSource): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}

/** The inputs of a format that takes only text. */
export function textsOf(inputs: readonly EmbeddingInput[]): string[] {
  return inputs.map((input) => {
    if (input.type === 'text') return input.text;
    throw inexpressible(`${namesOfInputs[input.type]} as input`, 'input');
  });
}

const namesOfInputs = { tokens: 'lists of tokens', image: 'images', vendor: 'objects' } as const;
