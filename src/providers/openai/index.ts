import { bearer, defineProvider } from '../define.ts';

/** Also any server that speaks the same at another `api_base`. */
export const openai = defineProvider({
  id: 'openai',
  name: 'OpenAI',
  documentation: 'https://platform.openai.com/docs/api-reference',
  aliases: ['text-completion-openai', 'custom_openai'],
  baseUrl: 'https://api.openai.com/v1',
  baseUrlVariable: 'OPENAI_API_BASE',
  credentialVariable: 'OPENAI_API_KEY',
  auth: (settings) => [
    ...bearer()(settings),
    ...(settings.organization === null ? [] : ['openai-organization', settings.organization]),
  ],
  dialects: {
    chat: ['openai-chat', 'openai-completions', 'openai-responses'],
    embedding: ['openai-embeddings'],
    moderation: ['openai-moderations'],
    compaction: ['openai-compact'],
    image: ['openai-images', 'openai-image-edits', 'openai-image-variations'],
    realtime: ['openai-realtime'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  // https://platform.openai.com/docs/pricing
  unitPrices: {
    'whisper-1': { second: 0.0001 },
    'gpt-realtime-whisper': { second: 0.017 / 60 },
    'gpt-realtime-translate': { second: 0.034 / 60 },
    'gpt-live-transcribe': { second: 0.017 / 60 },
    'tts-1': { character: 0.000015 },
    'tts-1-hd': { character: 0.00003 },
    'dall-e-2': { imageKinds: { '256x256': 0.016, '512x512': 0.018, '1024x1024': 0.02 } },
    'dall-e-3': {
      imageKinds: {
        '1024x1024': 0.04,
        '1024x1792': 0.08,
        '1792x1024': 0.08,
        'hd/1024x1024': 0.08,
        'hd/1024x1792': 0.12,
        'hd/1792x1024': 0.12,
      },
    },
  },
  // https://developers.openai.com/api/docs/guides/realtime-transcription
  transcriptsNameNoModel: true,
  // https://platform.openai.com/docs/guides/batch
  batchDesk: 'openai-batches',
  batchPriceRatio: 0.5,
  modelPrefixes: [
    'gpt-',
    'chatgpt-',
    'o1',
    'o3',
    'o4',
    'text-embedding-3-',
    'text-embedding-ada-',
    'davinci-',
    'babbage-',
    'ft:',
    'dall-e-',
    'tts-1',
    'whisper-1',
    'omni-moderation-',
    'codex-',
    'computer-use-',
  ],
  traits: (model) => ({
    reasoningModel: /^(o\d|gpt-5)/.test(model) && !model.startsWith('gpt-5-chat'),
    ...(isServedByResponsesAlone(model) ? { soleDialect: 'openai-responses' } : {}),
  }),
});

/** Models that chat completions do not have, by their pages in the documentation. */
function isServedByResponsesAlone(model: string): boolean {
  return /^(o[13]-pro|gpt-5[\d.]*-(pro|codex)|codex-|computer-use-|o[34](-mini)?-deep-research)/.test(model);
}
