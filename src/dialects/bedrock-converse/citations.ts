import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { citedAddress } from '../cited-address.ts';

/** This format's own citations as they are, addresses that others cite in its words; undefined for what it cannot say. */
export function toldCitation(annotation: Json, text: string): JsonObject | undefined {
  if (isJsonObject(annotation) && annotation.sourceContent !== undefined) return annotation;
  const cited = citedAddress(annotation);
  if (cited === undefined) return undefined;
  const { url, title, start = 0, end = text.length } = cited;
  const sourceContent = [{ text: text.slice(start, end) }];
  return { ...(title === undefined ? {} : { title }), sourceContent, location: { web: { url } } };
}
