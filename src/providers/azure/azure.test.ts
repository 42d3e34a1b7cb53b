import { providerContract } from '../../../test/contract/provider.ts';
import { azure } from './index.ts';

providerContract(azure, [
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: '2024-06-01' },
    dialect: 'openai-chat',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-06-01',
    headers: { 'api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: '2024-06-01' },
    dialect: 'openai-completions',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/deployments/my-gpt/completions?api-version=2024-06-01',
    headers: { 'api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: '2024-06-01' },
    dialect: 'openai-embeddings',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/deployments/my-gpt/embeddings?api-version=2024-06-01',
    headers: { 'api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: '2025-03-01-preview' },
    dialect: 'openai-responses',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/responses?api-version=2025-03-01-preview',
    headers: { 'api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: 'v1' },
    dialect: 'openai-compact',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/v1/responses/compact',
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: 'v1' },
    dialect: 'openai-responses',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/v1/responses',
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', apiVersion: 'v1' },
    dialect: 'openai-chat',
    model: 'my-gpt',
    address: 'https://r.openai.azure.com/openai/v1/chat/completions',
  },
  {
    settings: { baseUrl: 'https://r.openai.azure.com', extra: { azure_ad_token: 'x' } },
    dialect: 'openai-chat',
    model: 'o_series/my-o3',
    address: 'https://r.openai.azure.com/openai/deployments/my-o3/chat/completions?api-version=2024-10-21',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    dialect: 'openai-images',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/deployments/d/images/generations?api-version=2024-10-21',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
  {
    dialect: 'openai-image-edits',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/deployments/d/images/edits?api-version=2024-10-21',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
  {
    dialect: 'openai-speech',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/deployments/d/audio/speech?api-version=2024-10-21',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
  {
    dialect: 'openai-transcriptions',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/deployments/d/audio/transcriptions?api-version=2024-10-21',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
  {
    dialect: 'openai-translations',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/deployments/d/audio/translations?api-version=2024-10-21',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
  {
    dialect: 'openai-realtime',
    model: 'd',
    address: 'https://r.openai.azure.com/openai/realtime?api-version=2024-10-21&deployment=d',
    settings: { baseUrl: 'https://r.openai.azure.com' },
  },
]);
