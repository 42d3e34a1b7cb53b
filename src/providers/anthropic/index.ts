import type { ConnectionSettings } from '../../core/provider.ts';
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
  usageInStream: 'always',
  modelPrefixes: ['claude-'],
  adjust: (settings) => ({ ...settings, baseUrl: withVersionPath(settings.baseUrl) }),
  traits: (model) => ({
    supportsJsonSchema: isAtLeast(model, 4, 5),
    adaptiveThinking: isAtLeast(model, 4, 6),
    // Newer models refuse a request that ends with the assistant's words.
    ...(!isAtLeast(model, 4, 6) && { continuation: { lastMessage: {}, body: {} } }),
  }),
});

/** Is it of this generation or a later one? Names are `claude-FAMILY-MAJOR-MINOR-DATE`, older ones `claude-MAJOR-…`. */
function isAtLeast(model: string, major: number, minor: number): boolean {
  const version = /claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
  if (version === null) return false;
  const given = [Number(version[1]), Number(version[2] ?? 0)] as const;
  return given[0] > major || (given[0] === major && given[1] >= minor);
}

function isOAuthToken({ credential }: ConnectionSettings): boolean {
  return credential?.reveal().startsWith('sk-ant-oat') ?? false;
}

/** People write this address with and without `/v1`. */
function withVersionPath(baseUrl: string | null): string | null {
  if (baseUrl === null || /\/v\d+(\/messages)?\/?$/.test(baseUrl)) return baseUrl;
  return `${baseUrl.replace(/\/+$/, '')}/v1`;
}
