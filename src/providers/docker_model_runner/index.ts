import { defineProvider } from '../define.ts';

export const dockerModelRunner = defineProvider({
  id: 'docker_model_runner',
  name: 'Docker Model Runner',
  documentation: 'https://docs.docker.com/ai/model-runner/api-reference/',
  baseUrl: 'http://localhost:12434/engines/v1',
  baseUrlVariable: 'DOCKER_MODEL_RUNNER_API_BASE',
  credentialVariable: 'DOCKER_MODEL_RUNNER_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
});
