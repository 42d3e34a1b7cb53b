import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

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
  // A citation in Anthropic's words.
  if (typeof annotation.url !== 'string') return undefined;
  const title = typeof annotation.title === 'string' ? annotation.title : annotation.url;
  return { type: 'url_citation', start_index: 0, end_index: textLength, url: annotation.url, title };
}

export function encodeAnnotations(annotations: readonly Json[] | undefined, textLength: number): JsonObject[] {
  return (annotations ?? [])
    .map((annotation) => encodeAnnotation(annotation, textLength))
    .filter((annotation) => annotation !== undefined);
}
