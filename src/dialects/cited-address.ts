import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

/** A citation of an address on the web, whoever wrote it; places count as JavaScript does, where they are known. */
export interface CitedAddress {
  readonly url: string;
  readonly title: string | undefined;
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** undefined for what cites something else, such as a page of a file. */
export function citedAddress(annotation: Json): CitedAddress | undefined {
  if (!isJsonObject(annotation)) return undefined;
  const { url_citation: chat, location, sources } = annotation;
  if (isJsonObject(chat)) return addressIn(chat, annotation);
  if (isJsonObject(location) && isJsonObject(location.web)) return addressIn(location.web, annotation);
  if (!Array.isArray(sources)) return addressIn(annotation, annotation);
  const [document] = sources.flatMap((source) =>
    isJsonObject(source) && isJsonObject(source.document) && typeof source.document.url === 'string'
      ? [source.document]
      : [],
  );
  const { start, end } = annotation;
  return document && addressIn(document, { start_index: start ?? null, end_index: end ?? null });
}

function addressIn({ url, title }: JsonObject, around: JsonObject): CitedAddress | undefined {
  if (typeof url !== 'string') return undefined;
  const inner = isJsonObject(around.url_citation) ? around.url_citation : around;
  const name = title ?? around.title;
  return {
    url,
    title: typeof name === 'string' && name !== '' ? name : undefined,
    start: placeIn(inner.start_index),
    end: placeIn(inner.end_index),
  };
}

function placeIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
