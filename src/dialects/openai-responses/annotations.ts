import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { citedAddress } from '../cited-address.ts';

/*
 * Annotations of a text. The neutral form has those of chat completions, where the facts of a cited address stand in a
 * member `url_citation`; this format has them beside the type.
 */

export function decodeAnnotation(annotation: Json): Json {
  if (!isJsonObject(annotation) || annotation.type !== 'url_citation' || isJsonObject(annotation.url_citation)) {
    return annotation;
  }
  const { type, ...citation } = annotation;
  return { type, url_citation: citation };
}

/** undefined for what this format cannot say. `textLength` stands in where the place in the text is not known. */
export function encodeAnnotation(annotation: Json, textLength: number): JsonObject | undefined {
  if (!isJsonObject(annotation)) return undefined;
  if (isJsonObject(annotation.url_citation)) return { type: 'url_citation', ...annotation.url_citation };
  if (typeof annotation.type === 'string' && /^(url|file|container_file)_(citation|path)$/.test(annotation.type)) {
    return annotation;
  }
  const cited = citedAddress(annotation);
  if (cited === undefined) return undefined;
  const { url, title = url, start = 0, end = textLength } = cited;
  return { type: 'url_citation', start_index: start, end_index: end, url, title };
}

export function encodeAnnotations(annotations: readonly Json[] | undefined, textLength: number): JsonObject[] {
  return (annotations ?? [])
    .map((annotation) => encodeAnnotation(annotation, textLength))
    .filter((annotation) => annotation !== undefined);
}
