import type { ConnectionSettings } from '../../core/provider.ts';
import { claudeTraits } from '../claude-generation.ts';
import { bearer, defineProvider, keyHeader } from '../define.ts';

const version = ['anthropic-version', '2023-06-01'] as const;

export const anthropic = defineProvider({
  id: 'anthropic',
  name: 'Anthropic',
  documentation: 'https://docs.anthropic.com/en/api/messages',
  aliases: ['anthropic_text'],
  baseUrl: 'https://api.anthropic.com/v1',
  baseUrlVariable: 'ANTHROPIC_API_BASE',
  credentialVariable: 'ANTHROPIC_API_KEY',
  auth: (settings) =>
    isOAuthToken(settings) ? [...bearer()(settings), ...version] : keyHeader('x-api-key', ...version)(settings),
  dialects: { chat: ['anthropic-messages'] },
  // https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
  batchDesk: 'message-batches',
  batchPriceRatio: 0.5,
  usageInStream: 'always',
  modelPrefixes: ['claude-'],
  adjust: (settings) => ({ ...settings, baseUrl: withVersionPath(settings.baseUrl) }),
  traits: claudeTraits,
});

function isOAuthToken({ credential }: ConnectionSettings): boolean {
  return credential?.reveal().startsWith('sk-ant-oat') ?? false;
}

/** People write this address with and without `/v1`. */
function withVersionPath(baseUrl: string | null): string | null {
  if (baseUrl === null || /\/v\d+(\/messages)?\/?$/.test(baseUrl)) return baseUrl;
  return `${baseUrl.replace(/\/+$/, '')}/v1`;
}
