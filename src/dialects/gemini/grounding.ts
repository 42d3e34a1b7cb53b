import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { citedAddress } from '../cited-address.ts';
import { field } from './fields.ts';

/** What stands beside the content of a candidate and is told on as a block of this format's own. */
const candidateFields = ['groundingMetadata', 'citationMetadata', 'urlContextMetadata'] as const;

export function candidateFactsOf(candidate: JsonObject): JsonObject[] {
  return candidateFields
    .map((name) => [name, field(candidate, name)] as const)
    .filter(([, value]) => isJsonObject(value) && Object.keys(value).length > 0)
    .map(([name, value]) => ({ [name]: value }) as JsonObject);
}

export function isCandidateFact(block: JsonObject): boolean {
  return candidateFields.some((name) => block[name] !== undefined);
}

/**
 * Web sources of an answer, as citations in the shape that most clients read. Places are counted in bytes here and in
 * characters there: `text` is what they are in.
 */
export function citationsOf(candidate: JsonObject, text: string): Json[] {
  const grounding = field(candidate, 'groundingMetadata');
  if (!isJsonObject(grounding)) return [];
  const chunks = listOf(grounding, 'groundingChunks').map((chunk) => field(chunk, 'web'));
  const citations: Json[] = [];
  const bytes = Buffer.from(text);
  const placeOf = (value: Json | undefined) => bytes.toString('utf8', 0, numberOf(value)).length;
  for (const support of listOf(grounding, 'groundingSupports')) {
    const segment = field(support, 'segment');
    const indices = field(support, 'groundingChunkIndices');
    for (const index of Array.isArray(indices) ? indices : []) {
      const web = typeof index === 'number' ? chunks[index] : undefined;
      if (!isJsonObject(web) || !isJsonObject(segment)) continue;
      citations.push({
        type: 'url_citation',
        url_citation: {
          start_index: placeOf(field(segment, 'startIndex')),
          end_index: placeOf(field(segment, 'endIndex')),
          url: String(field(web, 'uri') ?? ''),
          title: String(field(web, 'title') ?? ''),
        },
      });
    }
  }
  return citations;
}

/** Citations of any format as the sources of a candidate; undefined where there are none. */
export function groundingOf(text: string, annotations: readonly Json[]): JsonObject | undefined {
  const groundingChunks: JsonObject[] = [];
  const groundingSupports: JsonObject[] = [];
  for (const annotation of annotations) {
    const cited = citedAddress(annotation);
    if (cited === undefined) continue;
    const { start = 0, end = text.length } = cited;
    const segment = {
      startIndex: Buffer.byteLength(text.slice(0, start)),
      endIndex: Buffer.byteLength(text.slice(0, end)),
      text: text.slice(start, end),
    };
    const known = groundingChunks.findIndex(({ web }) => isJsonObject(web) && web.uri === cited.url);
    const index = known < 0 ? groundingChunks.length : known;
    if (known < 0) groundingChunks.push({ web: { uri: cited.url, title: cited.title ?? '' } });
    groundingSupports.push({ segment, groundingChunkIndices: [index] });
  }
  return groundingChunks.length === 0 ? undefined : { groundingMetadata: { groundingChunks, groundingSupports } };
}

function listOf(object: JsonObject, name: string): JsonObject[] {
  const value = field(object, name);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
