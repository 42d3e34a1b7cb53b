import { type ConnectionSettings, ProviderSettingsError } from '../../core/provider.ts';
import { bearer, defineProvider, keyHeader, type PathCall, usualPath } from '../define.ts';
import { entraAuthorize, entraVariables } from '../entra.ts';

const apiVersionDefault = '2024-10-21';

/** Both of Azure's styles: a deployment in the path with `api-version`, and the newer `/openai/v1` that is like OpenAI's. */
export const azure = defineProvider({
  id: 'azure',
  name: 'Azure OpenAI',
  conventionName: 'azure.ai.openai',
  documentation: 'https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference',
  aliases: ['azure_text'],
  baseUrl: null,
  baseUrlVariable: 'AZURE_API_BASE',
  credentialVariable: 'AZURE_API_KEY',
  environmentVariables: entraVariables,
  auth: (settings) => (typeof settings.extra.azure_ad_token === 'string' ? bearer() : keyHeader('api-key'))(settings),
  authorize: entraAuthorize,
  dialects: {
    chat: ['openai-chat', 'openai-completions', 'openai-responses'],
    compaction: ['openai-compact'],
    embedding: ['openai-embeddings'],
    image: ['openai-images', 'openai-image-edits'],
    realtime: ['openai-realtime'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: ['azure', 'openai'],
  adjust: (settings) => ({ ...settings, baseUrl: resourceAddress(settings) }),
  path: ({ dialect, model, settings }: PathCall) => {
    const operation = usualPath[dialect];
    if (isVersionOne(settings)) return operation;
    const version = encodeURIComponent(settings.apiVersion ?? apiVersionDefault);
    if (dialect === 'openai-realtime') {
      return `/openai${operation}?api-version=${version}&deployment=${encodeURIComponent(deploymentName(model))}`;
    }
    // The one call that names its deployment in the body.
    if (dialect === 'openai-responses' || dialect === 'openai-compact')
      return `/openai${operation}?api-version=${version}`;
    return `/openai/deployments/${encodeURIComponent(deploymentName(model))}${operation}?api-version=${version}`;
  },
  // https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/batch
  batchDesk: 'openai-batches',
  batchPriceRatio: 0.5,
  batchPath: (tail, settings) =>
    isVersionOne(settings)
      ? tail
      : `/openai${tail}?api-version=${encodeURIComponent(settings.apiVersion ?? apiVersionDefault)}`,
  modelsPath: null,
  traits: (model) => ({
    reasoningModel: /^(o\d|gpt-5)/.test(deploymentName(model)) || /^(o_series|gpt5_series)\//.test(model),
  }),
});

/** `o_series/` and `gpt5_series/` only say what kind of model a freely named deployment is. */
function deploymentName(model: string): string {
  return model.replace(/^(o_series|gpt5_series)\//, '');
}

function isVersionOne(settings: ConnectionSettings): boolean {
  return (
    /\/openai\/v1\/?$/.test(settings.baseUrl ?? '') || ['v1', 'preview', 'latest'].includes(settings.apiVersion ?? '')
  );
}

function resourceAddress(settings: ConnectionSettings): string {
  if (settings.baseUrl === null) {
    throw new ProviderSettingsError('api_base', 'azure needs an api_base such as https://RESOURCE.openai.azure.com');
  }
  const trimmed = settings.baseUrl.replace(/\/+$/, '');
  if (!isVersionOne(settings) || trimmed.endsWith('/openai/v1')) return trimmed;
  return `${trimmed}/openai/v1${settings.apiVersion === 'preview' ? '?api-version=preview' : ''}`;
}
