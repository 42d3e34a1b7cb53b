import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { citedAddress } from '../cited-address.ts';

/* Citations: this format's own as they are, addresses that others cite as results of a search. */

/** What a caller is told; undefined for what this format cannot say. `text` is what they stand on, as far as it is known. */
export function toldCitation(annotation: Json, text: string): JsonObject | undefined {
  if (isJsonObject(annotation) && annotation.cited_text !== undefined) return annotation;
  const cited = citedAddress(annotation);
  if (cited === undefined) return undefined;
  const { url, title = null, start = 0, end = text.length } = cited;
  // Without an index it is no result of a search at Anthropic: it is not sent there.
  const place = { url, title, encrypted_index: '', cited_text: text.slice(start, end) };
  return { type: 'web_search_result_location', ...place };
}

export function toldCitations(annotations: readonly Json[] | undefined, text: string): JsonObject {
  const citations = (annotations ?? [])
    .map((annotation) => toldCitation(annotation, text))
    .filter((citation) => citation !== undefined);
  return citations.length === 0 ? {} : { citations };
}

/** What the provider wrote itself. */
export function ownCitations(annotations: readonly Json[] | undefined): JsonObject {
  const citations = (annotations ?? []).filter(
    (entry) => isJsonObject(entry) && entry.cited_text !== undefined && entry.encrypted_index !== '',
  );
  return citations.length === 0 ? {} : { citations };
}
