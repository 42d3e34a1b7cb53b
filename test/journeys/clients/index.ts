import { aiClients } from './ai.ts';
import { amazonClient } from './amazon.ts';
import { anthropicClient } from './anthropic.ts';
import { chatClients } from './chat.ts';
import type { Client } from './client.ts';
import { cohereClient } from './cohere.ts';
import { googleClient } from './google.ts';
import { langchainClients } from './langchain.ts';
import { ollamaClient } from './ollama.ts';
import { responsesClients } from './responses.ts';

export const clients: readonly Client[] = [
  ...chatClients,
  ...responsesClients,
  anthropicClient,
  googleClient,
  amazonClient,
  cohereClient,
  ollamaClient,
  ...aiClients,
  ...langchainClients,
];
