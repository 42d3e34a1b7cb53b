import { defineProvider, keyHeader, usualPath } from '../define.ts';

export const gemini = defineProvider({
  id: 'gemini',
  name: 'Gemini',
  conventionName: 'gcp.gemini',
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
    realtime: ['gemini-live'],
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
    const name = resourceOf(model);
    if (dialect !== 'gemini-generate') return `/${name}${usualPath[dialect]}`;
    return `/${name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;
  },
  pathBeside: ({ dialect }) => (dialect === 'gemini-live' ? livePath : undefined),
  edits: ({ dialect, model }) => new Map(dialect === 'gemini-live' ? [['model', resourceOf(model)]] : []),
  // https://ai.google.dev/gemini-api/docs/batch-api
  batchDesk: 'gemini-batches',
  batchPriceRatio: 0.5,
  batchPlace: (_settings, { origin, path }) => ({
    at: (room, tail) => ({ origin, path: (room === 'jobs' ? path : roomOf(tail, path)) + tail }),
    model: resourceOf,
  }),
  traits: (model) => ({ thinkingLevels: /gemini-([3-9]|\d\d)/.test(model) }),
});

/** https://ai.google.dev/api/live: beside the paths of versions, not below them. */
const livePath = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';

function resourceOf(model: string): string {
  return /^(tunedModels|models)\//.test(model) ? model : `models/${model}`;
}

/** Bytes go up and come down at addresses of their own, which name the direction before the version. */
function roomOf(tail: string, path: string): string {
  const direction = tail.includes(':download') ? 'download' : 'upload';
  return path.replace(/\/?([^/]*)$/, `/${direction}/$1`);
}
