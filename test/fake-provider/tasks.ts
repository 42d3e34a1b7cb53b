import type { AnswerRequest } from './answer.ts';
import { nothingUsed } from './invoice.ts';
import { embeddingList } from './openai-embeddings.ts';
import type { Composed, FakeOperation } from './operations.ts';
import { promptTokens } from './prompt.ts';
import type { Script } from './script.ts';

type Body = Readonly<Record<string, unknown>>;

/** The floats of an embedding answer, in order. */
function floats(body: Body, input: unknown, bodyBytes: number, script: Script) {
  const dimensions = body.output_dimension ?? body.dimensions ?? body.outputDimensionality;
  const { answer, inputTokens } = embeddingList(
    { ...body, input, dimensions, encoding_format: 'float' },
    bodyBytes,
    script,
  );
  return { vectors: (answer.data as { embedding: number[] }[]).map(({ embedding }) => embedding), inputTokens };
}

function told(serial: number | string, inputTokens: number, answer: unknown): Composed {
  return { id: `task-${serial}`, usage: { ...nothingUsed, inputTokens }, json: () => answer };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Documents in the order of their length, the longest first. */
function ranked(documents: readonly unknown[]): { index: number; score: number }[] {
  const lengths = documents.map((document, index) => ({ index, length: JSON.stringify(document).length }));
  return lengths
    .sort((one, other) => other.length - one.length)
    .map(({ index }, place) => ({ index, score: 1 / (place + 1) }));
}

function rerank({ body, bodyBytes, serial }: AnswerRequest, script: Script): Composed {
  const inputTokens = promptTokens(body, bodyBytes);
  if (Array.isArray(body.texts)) return told(serial, inputTokens, ranked(body.texts));
  const isVoyage = body.top_k !== undefined;
  const documents = listOf(body.documents);
  const results = ranked(documents)
    .slice(0, Number(body.top_n ?? body.top_k ?? documents.length))
    .map(({ index, score }) => ({ index, relevance_score: score }));
  const usage = script.usage === 'none' ? {} : { usage: { total_tokens: inputTokens } };
  const searches = Math.ceil(documents.length / 100);
  return told(
    serial,
    inputTokens,
    isVoyage
      ? { object: 'list', data: results, model: body.model, ...usage }
      : { id: `rerank-${serial}`, results, meta: { billed_units: { search_units: searches } } },
  );
}

/** Embeddings in other formats than OpenAI's, rerank, moderations. Sources: see src/dialects/embeddings and rerank. */
export const taskOperations: readonly FakeOperation[] = [
  {
    family: 'openai',
    suffix: '/v2/embed',
    requiredFields: ['input_type'],
    compose: ({ body, bodyBytes, serial }, script) => {
      const { vectors, inputTokens } = floats(body, body.texts, bodyBytes, script);
      return told(serial, inputTokens, {
        id: `embed-${serial}`,
        embeddings: { float: vectors },
        texts: body.texts,
        meta: { billed_units: { input_tokens: inputTokens } },
        response_type: 'embeddings_by_type',
      });
    },
  },
  {
    family: 'openai',
    suffix: ':batchEmbedContents',
    requiredFields: ['requests'],
    compose: ({ body, bodyBytes, serial }, script) => {
      const requests = body.requests as { content: { parts: { text: string }[] } }[];
      const { vectors, inputTokens } = floats(
        body,
        requests.map((one) => one.content.parts[0]?.text),
        bodyBytes,
        script,
      );
      return told(serial, inputTokens, { embeddings: vectors.map((values) => ({ values })) });
    },
  },
  {
    family: 'openai',
    suffix: '/api/embed',
    requiredFields: ['input'],
    compose: ({ body, bodyBytes, serial }, script) => {
      const { vectors, inputTokens } = floats(body, body.input, bodyBytes, script);
      return told(serial, inputTokens, { model: body.model, embeddings: vectors, prompt_eval_count: inputTokens });
    },
  },
  {
    family: 'openai',
    suffix: '/feature-extraction',
    requiredFields: ['inputs'],
    compose: ({ body, bodyBytes, serial }, script) => {
      const { vectors, inputTokens } = floats(body, body.inputs, bodyBytes, script);
      return told(serial, inputTokens, vectors);
    },
  },
  { family: 'openai', suffix: '/rerank', requiredFields: ['query'], compose: rerank },
  {
    family: 'openai',
    suffix: '/moderations',
    requiredFields: ['input'],
    compose: ({ body, bodyBytes, serial }) =>
      told(serial, promptTokens(body, bodyBytes), {
        id: `modr-${serial}`,
        model: body.model,
        results: listOf(body.input).map((input) => ({ flagged: String(input).includes('bad'), categories: {} })),
      }),
  },
];
