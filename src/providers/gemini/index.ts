import { defineProvider, keyHeader } from '../define.ts';

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
  dialects: { chat: ['gemini-generate'] },
  usageInStream: 'always',
  modelPrefixes: ['gemini-'],
  path: ({ model, stream }) => {
    const name = /^(tunedModels|models)\//.test(model) ? model : `models/${model}`;
    return `/${name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  },
  traits: (model) => ({ thinkingLevels: /gemini-([3-9]|\d\d)/.test(model) }),
});
