import { defineProvider, keyHeader, usualPath } from '../define.ts';

export const gemini = defineProvider({
  id: 'gemini',
  name: 'Gemini',
  documentation: 'https://ai.google.dev/api/generate-content',
  aliases: ['google_ai_studio'],
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  baseUrlVariable: 'GEMINI_API_BASE',
  credentialVariable: 'GEMINI_API_KEY',
  otherCredentialVariables: ['GOOGLE_API_KEY'],
  auth: keyHeader('x-goog-api-key'),
  dialects: {
    chat: ['gemini-generate'],
    embedding: ['gemini-batch-embed', 'gemini-embed'],
    image: ['imagen-images'],
  },
  usageInStream: 'always',
  modelPrefixes: ['gemini-'],
  // https://ai.google.dev/gemini-api/docs/pricing
  unitPrices: {
    'imagen-4.0-fast': { image: 0.02 },
    'imagen-4.0-generate': { image: 0.04 },
    'imagen-4.0-ultra': { image: 0.06 },
    'imagen-3.0': { image: 0.03 },
  },
  path: ({ dialect, model, stream }) => {
    const name = /^(tunedModels|models)\//.test(model) ? model : `models/${model}`;
    if (dialect !== 'gemini-generate') return `/${name}${usualPath[dialect]}`;
    return `/${name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  },
  traits: (model) => ({ thinkingLevels: /gemini-([3-9]|\d\d)/.test(model) }),
});
