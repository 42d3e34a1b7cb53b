import { openaiLikeEmbeddings } from '../embeddings/openai-like.ts';
import { taskDialect } from '../task-dialect.ts';

/** https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings = taskDialect(
  openaiLikeEmbeddings({
    name: 'openai-embeddings',
    dimensions: 'dimensions',
    encoding: { field: 'encoding_format', known: ['float', 'base64'] },
    takesTokens: true,
    takesImages: true,
  }),
);
