import { type ConnectionSettings, ProviderSettingsError } from '../../core/provider.ts';
import { defineProvider, usualPath } from '../define.ts';

/** Every deployment has an address of its own; what the body calls the model is an adapter of it, or nothing. */
export const predibase = defineProvider({
  id: 'predibase',
  name: 'Predibase',
  documentation: 'https://docs.predibase.com/user-guide/inference/migrate-openai',
  baseUrl: 'https://serving.app.predibase.com',
  baseUrlVariable: 'PREDIBASE_API_BASE',
  credentialVariable: 'PREDIBASE_API_KEY',
  environmentVariables: ['PREDIBASE_TENANT_ID'],
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  adjust: (settings) => {
    if (tenantOf(settings) !== undefined || settings.baseUrl !== null) return settings;
    throw new ProviderSettingsError('tenant_id', 'predibase needs a tenant_id, or PREDIBASE_TENANT_ID to be set');
  },
  path: ({ dialect, model, settings }) => {
    const tenant = tenantOf(settings);
    // Without a tenant the base address is that of the deployment itself.
    if (tenant === undefined) return usualPath[dialect];
    const place = `/${encodeURIComponent(tenant)}/deployments/v2/llms/${encodeURIComponent(model)}/v1`;
    return place + usualPath[dialect];
  },
  editsFor: (settings) => {
    const { adapter_id: adapter } = settings.extra;
    const edits = new Map([['model', typeof adapter === 'string' ? adapter : '']]);
    return () => edits;
  },
  modelsPath: null,
});

function tenantOf({ extra, environment = {} }: ConnectionSettings): string | undefined {
  return typeof extra.tenant_id === 'string' && extra.tenant_id !== ''
    ? extra.tenant_id
    : environment.PREDIBASE_TENANT_ID;
}
