import { type ConnectionSettings, ProviderSettingsError } from '../../core/provider.ts';
import { defineProvider } from '../define.ts';

export const cloudflare = defineProvider({
  id: 'cloudflare',
  name: 'Cloudflare Workers AI',
  documentation: 'https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/',
  aliases: ['workers-ai'],
  baseUrl: null,
  baseUrlVariable: 'CLOUDFLARE_API_BASE',
  credentialVariable: 'CLOUDFLARE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelsPath: null,
  adjust: (settings) => ({ ...settings, baseUrl: compatibleAddress(settings) }),
});

/** Every account has its own address. `/ai/run` is the older interface beside the compatible one. */
function compatibleAddress({ baseUrl }: ConnectionSettings): string {
  if (baseUrl === null) {
    const expected = 'https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1';
    throw new ProviderSettingsError('api_base', `cloudflare needs an api_base with your account in it: ${expected}`);
  }
  return baseUrl.replace(/\/ai\/run\/?$/, '/ai/v1');
}
