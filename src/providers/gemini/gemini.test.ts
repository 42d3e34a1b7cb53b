import { expect, it } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import { gemini } from './index.ts';

const base = 'https://generativelanguage.googleapis.com/v1beta';

providerContract(gemini, [
  {
    dialect: 'gemini-generate',
    model: 'gemini-2.5-flash',
    address: `${base}/models/gemini-2.5-flash:generateContent`,
    headers: { 'x-goog-api-key': 'sk-canary-credential-42' },
  },
  { dialect: 'gemini-generate', model: 'tunedModels/mine-1', address: `${base}/tunedModels/mine-1:generateContent` },
  {
    settings: { baseUrl: 'http://localhost:9000' },
    dialect: 'gemini-generate',
    model: 'gemini-3-pro',
    address: 'http://localhost:9000/models/gemini-3-pro:generateContent',
  },
  {
    dialect: 'gemini-batch-embed',
    model: 'gemini-embedding-001',
    address: `${base}/models/gemini-embedding-001:batchEmbedContents`,
  },
  {
    dialect: 'gemini-embed',
    model: 'gemini-embedding-001',
    address: `${base}/models/gemini-embedding-001:embedContent`,
  },
  {
    dialect: 'imagen-images',
    model: 'imagen-4.0-generate-001',
    address: `${base}/models/imagen-4.0-generate-001:predict`,
  },
  {
    dialect: 'gemini-live',
    model: 'gemini-live-2.5-flash',
    address:
      'https://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
  },
]);

it('asks for events, never for a list', () => {
  const endpoint = gemini.endpoint({
    baseUrl: null,
    credential: null,
    model: 'gemini-2.5-flash',
    apiVersion: null,
    organization: null,
    extra: {},
    headers: {},
  });
  expect(endpoint.path('gemini-generate', 'gemini-2.5-flash', true)).toBe(
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
  );
});
