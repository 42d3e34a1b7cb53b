import { defineProvider } from '../define.ts';

export const lepton = defineProvider({
  id: 'lepton',
  name: 'Lepton AI',
  documentation: 'https://www.lepton.ai/docs/public_models/model_apis',
  baseUrl: 'https://api.lepton.ai/api/v1',
  baseUrlVariable: 'LEPTON_API_BASE',
  credentialVariable: 'LEPTON_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
