import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
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

/** Web sources of an answer, as citations in the shape that most clients read. */
export function citationsOf(candidate: JsonObject): Json[] {
  const grounding = field(candidate, 'groundingMetadata');
  if (!isJsonObject(grounding)) return [];
  const chunks = listOf(grounding, 'groundingChunks').map((chunk) => field(chunk, 'web'));
  const citations: Json[] = [];
  for (const support of listOf(grounding, 'groundingSupports')) {
    const segment = field(support, 'segment');
    const indices = field(support, 'groundingChunkIndices');
    for (const index of Array.isArray(indices) ? indices : []) {
      const web = typeof index === 'number' ? chunks[index] : undefined;
      if (!isJsonObject(web) || !isJsonObject(segment)) continue;
      citations.push({
        type: 'url_citation',
        url_citation: {
          start_index: numberOf(field(segment, 'startIndex')),
          end_index: numberOf(field(segment, 'endIndex')),
          url: String(field(web, 'uri') ?? ''),
          title: String(field(web, 'title') ?? ''),
        },
      });
    }
  }
  return citations;
}

function listOf(object: JsonObject, name: string): JsonObject[] {
  const value = field(object, name);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
