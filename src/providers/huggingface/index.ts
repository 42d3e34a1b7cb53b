import { defineProvider } from '../define.ts';

export const huggingface = defineProvider({
  id: 'huggingface',
  name: 'Hugging Face',
  documentation: 'https://huggingface.co/docs/inference-providers/index',
  aliases: ['hugging-face'],
  baseUrl: 'https://router.huggingface.co/v1',
  baseUrlVariable: 'HUGGINGFACE_API_BASE',
  credentialVariable: 'HUGGINGFACE_API_KEY',
  catalogueIds: [
    'huggingface',
    'huggingface_together',
    'huggingface_novita',
    'huggingface_nebius',
    'huggingface_fireworks-ai',
  ],
});
