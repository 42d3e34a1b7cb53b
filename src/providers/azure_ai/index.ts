import { claudeTraits } from '../claude-generation.ts';
import { bearer, defineProvider, keyHeader } from '../define.ts';
import { entraAuthorize, entraVariables } from '../entra.ts';

const apiVersionDefault = '2024-05-01-preview';

/** Models of many makers: Foundry resources (`RESOURCE.services.ai.azure.com`) and serverless endpoints. */
export const azureAi = defineProvider({
  id: 'azure_ai',
  name: 'Azure AI Foundry',
  conventionName: 'azure.ai.inference',
  documentation: 'https://learn.microsoft.com/en-us/azure/ai-foundry/foundry-models/how-to/inference',
  baseUrl: null,
  baseUrlVariable: 'AZURE_AI_API_BASE',
  credentialVariable: 'AZURE_AI_API_KEY',
  environmentVariables: entraVariables,
  auth: (settings) => {
    const version = ['anthropic-version', '2023-06-01'];
    const key = typeof settings.extra.azure_ad_token === 'string' ? bearer() : keyHeader('api-key');
    const isServerless = isServerlessAddress(settings.baseUrl ?? '');
    return [...(isServerless ? bearer() : key)(settings), ...(settings.model.startsWith('claude') ? version : [])];
  },
  authorize: entraAuthorize,
  dialects: { chat: ['openai-chat', 'anthropic-messages'], embedding: ['openai-embeddings'] },
  catalogueIds: ['azure_ai', 'azure'],
  adjust: (settings) => ({ ...settings, baseUrl: settings.baseUrl?.replace(/\/(models|anthropic)?\/?$/, '') ?? null }),
  path: ({ dialect, settings }) => {
    if (dialect === 'anthropic-messages') return '/anthropic/v1/messages';
    const operation = dialect === 'openai-embeddings' ? '/embeddings' : '/chat/completions';
    if (isServerlessAddress(settings.baseUrl ?? '')) return `/v1${operation}`;
    const version = encodeURIComponent(settings.apiVersion ?? apiVersionDefault);
    return /\/v1\/?$/.test(settings.baseUrl ?? '') ? operation : `/models${operation}?api-version=${version}`;
  },
  modelsPath: null,
  traits: (model) =>
    model.startsWith('claude')
      ? { ...claudeTraits(model), soleDialect: 'anthropic-messages' }
      : { soleDialect: undefined },
});

function isServerlessAddress(address: string): boolean {
  return /\.(models|inference)\.ai\.azure\.com/.test(address);
}
