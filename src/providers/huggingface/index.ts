import { defineProvider } from '../define.ts';

export const huggingface = defineProvider({
  id: 'huggingface',
  name: 'Hugging Face',
  documentation: 'https://huggingface.co/docs/inference-providers/index',
  aliases: ['hugging-face'],
  baseUrl: 'https://router.huggingface.co',
  baseUrlVariable: 'HUGGINGFACE_API_BASE',
  credentialVariable: 'HUGGINGFACE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['feature-extraction'], image: ['text-to-image'] },
  adjust: (settings) =>
    settings.baseUrl === null ? { ...settings, baseUrl: 'https://router.huggingface.co' } : settings,
  path: ({ dialect, model, settings }) => {
    // The router serves chat below /v1 and every other task below the model; an endpoint of one's own is the task itself.
    const isRouter = settings.baseUrl === 'https://router.huggingface.co';
    if (dialect === 'openai-chat') return isRouter ? '/v1/chat/completions' : '/chat/completions';
    if (!isRouter) return '';
    return `/hf-inference/models/${model}${dialect === 'text-to-image' ? '' : '/pipeline/feature-extraction'}`;
  },
  modelsPath: '/v1/models',
  catalogueIds: [
    'huggingface',
    'huggingface_together',
    'huggingface_novita',
    'huggingface_nebius',
    'huggingface_fireworks-ai',
  ],
});
