import { describe, expect, it } from 'vitest';
import type { DialectName } from '../../src/core/operation.ts';
import { type ConnectionSettings, type Provider, ProviderSettingsError } from '../../src/core/provider.ts';
import { Secret } from '../../src/core/secret.ts';
import { providerDirectory } from '../../src/providers/index.ts';

const canary = 'sk-canary-credential-42';

const settings: ConnectionSettings = {
  baseUrl: null,
  credential: new Secret(canary),
  model: 'some-model',
  apiVersion: null,
  organization: null,
  extra: {},
  headers: {},
};

export interface ProviderCase {
  readonly settings?: Partial<ConnectionSettings>;
  readonly dialect: DialectName;
  readonly model: string;
  /** The whole address of a call, as the provider's documentation gives it. */
  readonly address: string;
  /** Headers that must stand on the call, besides what every case checks. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every provider must hold, and the addresses and headers its documentation gives. */
export function providerContract(provider: Provider, cases: readonly ProviderCase[]): void {
  describe(`provider ${provider.id}`, () => {
    it('is found by its id and every alias', () => {
      for (const id of [provider.id, ...provider.aliases]) expect(providerDirectory.byId(id)).toBe(provider);
    });

    it.each(cases.map((one) => [one.address, one] as const))('calls %s', (address, one) => {
      const endpoint = provider.endpoint({ ...settings, ...one.settings });
      expect(endpoint.origin + endpoint.path(one.dialect, one.model, false)).toBe(address);
      expect(pairs(endpoint.headers)).toMatchObject(one.headers ?? {});
    });

    it('speaks only dialects it was given a case for', () => {
      const spoken = new Set(Object.values(provider.dialects).flat());
      expect(new Set(cases.map((one) => one.dialect))).toEqual(spoken);
    });

    it('keeps the credential in headers: never in the origin or the path', () => {
      for (const one of cases) {
        const endpoint = provider.endpoint({ ...settings, ...one.settings });
        expect(endpoint.origin + endpoint.path(one.dialect, one.model, true)).not.toContain(canary);
        // A key that is exchanged for a token, or signs, is in no header at all.
        expect(endpoint.headers.join('\n').includes(canary)).toBe(endpoint.authorize === undefined);
        expect(endpoint.headers.length % 2).toBe(0);
        for (const name of Object.keys(pairs(endpoint.headers))) expect(name).toBe(name.toLowerCase());
      }
    });

    it("adds the operator's headers", () => {
      const [one] = cases;
      const endpoint = provider.endpoint({ ...settings, ...one?.settings, headers: { 'X-Team': 'blue' } });
      expect(pairs(endpoint.headers)['x-team']).toBe('blue');
    });

    it('says which key of the settings is wrong, without repeating a credential', () => {
      for (const baseUrl of ['not an address', 'ftp://host/v1', `https://user:${canary}@host/v1`]) {
        const attempt = () => provider.endpoint({ ...settings, baseUrl });
        expect(attempt).toThrow(ProviderSettingsError);
        expect(attempt).toThrow(/api_base/);
        expect(attempt).not.toThrow(new RegExp(canary));
      }
    });

    // Some addresses follow from other settings, such as a region.
    if (provider.defaultBaseUrl === null && cases.every((one) => typeof one.settings?.baseUrl === 'string')) {
      it('asks for an address when there is none', () => {
        expect(() => provider.endpoint(settings)).toThrow(/api_base/);
      });
    }
  });
}

/** A provider that is like OpenAI behind an address of its own: every dialect at its usual path, the key as bearer. */
export function compatibleContract(
  provider: Provider,
  baseUrl: string,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${canary}` },
): void {
  const cases = [...new Set(Object.values(provider.dialects).flat())].map((dialect) => ({
    settings: provider.defaultBaseUrl === null ? { baseUrl } : {},
    dialect,
    model: 'some-model',
    address: baseUrl + usualPaths[dialect],
    headers,
  }));
  providerContract(provider, cases);
}

const usualPaths: Partial<Record<DialectName, string>> = {
  'openai-chat': '/chat/completions',
  'openai-completions': '/completions',
  'openai-embeddings': '/embeddings',
  'openai-responses': '/responses',
  'openai-compact': '/responses/compact',
  'anthropic-messages': '/messages',
  'openai-moderations': '/moderations',
  'jina-rerank': '/rerank',
  'nim-embeddings': '/embeddings',
  'nim-ranking': '/ranking',
  'cohere-embed': '/embed',
  'invoked-cohere-embed': '',
  'cohere-rerank': '/rerank',
  'openai-realtime': '/realtime',
  'gemini-live': '',
  'openai-images': '/images/generations',
  'openai-image-edits': '/images/edits',
  'openai-image-variations': '/images/variations',
  'openai-speech': '/audio/speech',
  'openai-transcriptions': '/audio/transcriptions',
  'openai-translations': '/audio/translations',
};

function pairs(headers: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) found[headers[index] ?? ''] = headers[index + 1] ?? '';
  return found;
}
