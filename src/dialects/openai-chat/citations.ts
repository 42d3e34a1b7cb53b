import { isJsonObject, type Json } from '../../core/json.ts';
import { citedAddress } from '../cited-address.ts';

export function isOwnCitation(annotation: Json): boolean {
  return isJsonObject(annotation) && annotation.type === 'url_citation';
}

/** A cited address in this format's shape; undefined for what cites something else. */
export function ownCitation(annotation: Json, textLength: number): Json | undefined {
  if (isOwnCitation(annotation)) return annotation;
  const cited = citedAddress(annotation);
  if (cited === undefined) return undefined;
  const { url, title = url, start = 0, end = textLength } = cited;
  return { type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title } };
}
