import { usageOf } from '../embeddings/cohere.ts';
import { taskDialect } from '../task-dialect.ts';
import { invokedRerank } from './invoked.ts';
import { billed, type RerankWords, rerankFormat, tokenUsage } from './shape.ts';
import { vertexRanking } from './vertex.ts';

/** What callers of Cohere's v1 and v2 and of Jina's format write; answers carry what each of them looks for. */
const cohere: RerankWords = {
  name: 'cohere-rerank',
  documents: 'documents',
  topN: 'top_n',
  returnDocuments: 'return_documents',
  tokensPerDocument: 'max_tokens_per_doc',
  takesObjects: true,
  results: 'results',
  score: 'relevance_score',
  resultDocument: 'document',
  usage: ({ meta, usage }) => usageOf(meta) ?? tokenUsage({ usage }),
  envelope: (response, model) => ({ id: response.id, model, ...billed(response.usage) }),
};

/** https://docs.cohere.com/reference/rerank: texts only, and no documents in the answer */
const cohereSecond: RerankWords = { ...cohere, name: 'cohere-rerank-v2', returnDocuments: null, takesObjects: false };

const words: readonly RerankWords[] = [
  cohere,
  cohereSecond,
  /** https://api.jina.ai/redoc#tag/rerank; also vLLM, Infinity, Xinference */
  { ...cohere, name: 'jina-rerank', tokensPerDocument: null, usage: tokenUsage },
  /** https://docs.voyageai.com/reference/reranker-api */
  {
    ...cohere,
    name: 'voyage-rerank',
    topN: 'top_k',
    tokensPerDocument: null,
    takesObjects: false,
    results: 'data',
    usage: tokenUsage,
    envelope: (response, model) => ({ object: 'list', model, ...billed(response.usage) }),
  },
  /** https://huggingface.github.io/text-embeddings-inference: a bare list of `{index, score, text}` */
  {
    ...cohere,
    name: 'tei-rerank',
    documents: 'texts',
    topN: null,
    returnDocuments: 'return_text',
    tokensPerDocument: null,
    takesObjects: false,
    bareList: true,
    results: 'list',
    score: 'score',
    resultDocument: 'text',
    usage: () => undefined,
  },
  /** https://docs.nvidia.com/nim/nemo-retriever/text-reranking/latest/reference.html */
  {
    ...cohere,
    name: 'nim-ranking',
    documents: 'passages',
    topN: null,
    returnDocuments: null,
    tokensPerDocument: null,
    takesObjects: false,
    textObjects: true,
    results: 'rankings',
    score: 'logit',
    usage: tokenUsage,
  },
];

export const rerankDialects = [
  ...words.map((one) => taskDialect(rerankFormat(one))),
  taskDialect(invokedRerank(cohereSecond)),
  taskDialect(vertexRanking),
];
