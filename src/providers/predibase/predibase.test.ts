import { expect, it } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { predibase } from './index.ts';

const settings = { extra: { tenant_id: 'acme' } };
const place = 'https://serving.app.predibase.com/acme/deployments/v2/llms/llama-3-1-8b-instruct/v1';

providerContract(predibase, [
  { settings, dialect: 'openai-chat', model: 'llama-3-1-8b-instruct', address: `${place}/chat/completions` },
  {
    settings: { baseUrl: 'https://predibase.internal/acme/deployments/v2/llms/m/v1' },
    dialect: 'openai-chat',
    model: 'm',
    address: 'https://predibase.internal/acme/deployments/v2/llms/m/v1/chat/completions',
  },
  { settings, dialect: 'openai-completions', model: 'llama-3-1-8b-instruct', address: `${place}/completions` },
]);

const connection = (extra: ConnectionSettings['extra']): ConnectionSettings => ({
  baseUrl: null,
  credential: null,
  model: 'm',
  apiVersion: null,
  organization: null,
  extra,
  headers: {},
  environment: {},
});

it('names an adapter in the body, or nothing', () => {
  const call = { dialect: 'openai-chat', model: 'm', stream: false, body: {}, headers: {} } as const;
  const told = (extra: ConnectionSettings['extra']) => predibase.endpoint(connection(extra)).edits!(call).get('model');
  expect(told({ tenant_id: 'acme' })).toBe('');
  expect(told({ tenant_id: 'acme', adapter_id: 'support-bot/3' })).toBe('support-bot/3');
  expect(() => predibase.endpoint(connection({}))).toThrow('predibase needs a tenant_id');
});
