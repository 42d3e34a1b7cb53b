import type { BatchDeskName } from '../core/batch-desk.ts';
import type { ModelTraits } from '../core/dialect.ts';
import type { DialectName, Operation } from '../core/operation.ts';
import {
  type Authorize,
  type BatchPlace,
  type ConnectionSettings,
  type Provider,
  type ProviderEndpoint,
  ProviderSettingsError,
} from '../core/provider.ts';
import type { UnitRates } from '../core/unit-price.ts';

/** How a provider wants to be shown who calls: header pairs made once per deployment. */
export type Auth = (settings: ConnectionSettings) => readonly string[];

export interface ProviderDefinition {
  readonly id: string;
  readonly name: string;
  /** Its name in OpenTelemetry's conventions, where they have one; else its id. */
  readonly conventionName?: string;
  /** Where its wire format is described: what this definition was checked against. */
  readonly documentation: string;
  /** What else it was compared with: the vendor's own client, with its version. */
  readonly checkedAgainst?: string;
  readonly aliases?: readonly string[];
  /** Address with the version path, as the provider documents it; null where every installation has its own. */
  readonly baseUrl: string | null;
  readonly baseUrlVariable?: string;
  readonly credentialVariable?: string;
  readonly otherCredentialVariables?: readonly string[];
  readonly environmentVariables?: readonly string[];
  /** False for servers that people run themselves without a key. */
  readonly requiresCredential?: boolean;
  /** `bearer()` where absent. */
  readonly auth?: Auth;
  /** What its way of serving a dialect changes in a body. */
  readonly edits?: ProviderEndpoint['edits'];
  /** The same, where it follows from the settings. */
  readonly editsFor?: (settings: ConnectionSettings) => ProviderEndpoint['edits'];
  readonly reframe?: ProviderEndpoint['reframe'];
  /** What authorises each call by itself; undefined where `auth` is enough. */
  readonly authorize?: (settings: ConnectionSettings) => Authorize | undefined;
  /** OpenAI's chat alone where absent. */
  readonly dialects?: Partial<Record<Operation, readonly DialectName[]>>;
  readonly catalogueIds?: readonly string[];
  readonly usageInStream?: Provider['usageInStream'];
  readonly stopsOnHangup?: boolean;
  /** Beginnings of bare model names that belong to this provider. */
  readonly modelPrefixes?: readonly string[];
  readonly traits?: (model: string) => Partial<ModelTraits>;
  /** Prices of models that are paid by the image, second, character or search, by the beginning of their names. */
  readonly unitPrices?: Readonly<Record<string, UnitPrices>>;
  /** Path behind the base address; the dialect's usual one where absent. */
  readonly path?: (call: PathCall) => string;
  /** Path in the place of the base address's version, for what is not below it; undefined for everything else. */
  readonly pathBeside?: (call: PathCall) => string | undefined;
  /** Its own batch API, where it has one. */
  readonly batchDesk?: BatchDeskName;
  readonly batchPriceRatio?: number;
  readonly transcriptsNameNoModel?: boolean;
  /** Where a call of it is behind the base address, when not just there. */
  readonly batchPath?: (tail: string, settings: ConnectionSettings) => string;
  /** The same, where files lie somewhere else; undefined where the settings leave out what it needs. */
  readonly batchPlace?: (
    settings: ConnectionSettings,
    base: { origin: string; path: string },
  ) => BatchPlace | undefined;
  /** Path that lists models, behind the base address; `/models` where absent. */
  readonly modelsPath?: string | null;
  /** Last word on settings before they become an endpoint: defaults, checks, derived addresses. */
  readonly adjust?: (settings: ConnectionSettings) => ConnectionSettings;
}

export interface PathCall {
  readonly dialect: DialectName;
  readonly model: string;
  readonly stream: boolean;
  readonly settings: ConnectionSettings;
}

/** Where a dialect is spoken behind the base address, unless a provider says otherwise. */
export const usualPath: Record<DialectName, string> = {
  'openai-chat': '/chat/completions',
  'openai-completions': '/completions',
  'openai-embeddings': '/embeddings',
  'openai-responses': '/responses',
  'openai-compact': '/responses/compact',
  'mistral-chat': '/chat/completions',
  'gigachat-chat': '/chat/completions',
  'cohere-chat': '/v2/chat',
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
  'anthropic-messages': '/messages',
  'cohere-embed': '/embed',
  'feature-extraction': '/pipeline/feature-extraction',
  'gemini-batch-embed': ':batchEmbedContents',
  'gemini-embed': ':embedContent',
  'jina-embeddings': '/embeddings',
  'mistral-embeddings': '/embeddings',
  'nim-embeddings': '/embeddings',
  'ollama-embed': '/api/embed',
  'ollama-embeddings': '/api/embeddings',
  'titan-embed': '',
  'invoked-cohere-embed': '',
  'vertex-embed': ':predict',
  'voyage-embeddings': '/embeddings',
  'cohere-rerank': '/rerank',
  'cohere-rerank-v2': '/rerank',
  'invoked-rerank': '',
  'jina-rerank': '/rerank',
  'nim-ranking': '/ranking',
  'tei-rerank': '/rerank',
  'vertex-ranking': '',
  'voyage-rerank': '/rerank',
  'openai-moderations': '/moderations',
  'bedrock-converse': '',
  'bedrock-invoke': '',
  'gemini-generate': '',
  'gemini-array': '',
  'openai-realtime': '/realtime',
  'gemini-live': '',
  'pass-through': '',
  'openai-images': '/images/generations',
  'openai-image-edits': '/images/edits',
  'openai-image-variations': '/images/variations',
  'openai-speech': '/audio/speech',
  'openai-transcriptions': '/audio/transcriptions',
  'openai-translations': '/audio/translations',
  'deepgram-speech': '/speak',
  'deepgram-transcription': '/listen',
  'assemblyai-transcription': '/upload',
  'cohere-transcription': '/v2/audio/transcriptions',
  'elevenlabs-speech': '/text-to-speech',
  'elevenlabs-transcription': '/speech-to-text',
  'fal-images': '',
  'imagen-images': ':predict',
  'replicate-chat': '/predictions',
  'replicate-images': '/predictions',
  'stability-images': '',
  'text-to-image': '',
  'together-images': '/images/generations',
};

const usualTraits: ModelTraits = {
  reasoningModel: false,
  supportsJsonSchema: true,
  supportsImageUrls: true,
  unsupportedParams: [],
};

const chatAlone: Provider['dialects'] = { chat: ['openai-chat'] };

/** `Authorization: Bearer KEY`; nothing when there is no key and none is required. */
export function bearer(): Auth {
  return ({ credential }) => (credential === null ? [] : ['authorization', `Bearer ${credential.reveal()}`]);
}

/** The key alone in a header of the provider's own name. */
export function keyHeader(name: string, ...also: readonly string[]): Auth {
  return ({ credential }) => (credential === null ? [...also] : [name, credential.reveal(), ...also]);
}

/** Makes a provider from the few facts that set it apart. */
export function defineProvider(definition: ProviderDefinition): Provider {
  const { id, name, documentation, auth = bearer(), dialects = chatAlone } = definition;
  const prefixes = definition.modelPrefixes ?? [];
  return Object.freeze({
    id,
    name,
    ...(definition.conventionName !== undefined && { conventionName: definition.conventionName }),
    documentation,
    ...(definition.checkedAgainst !== undefined && { checkedAgainst: definition.checkedAgainst }),
    aliases: definition.aliases ?? [],
    dialects,
    catalogueIds: definition.catalogueIds ?? [id],
    credentialVariable: definition.credentialVariable ?? null,
    otherCredentialVariables: definition.otherCredentialVariables ?? [],
    environmentVariables: definition.environmentVariables ?? [],
    baseUrlVariable: definition.baseUrlVariable ?? null,
    defaultBaseUrl: definition.baseUrl,
    requiresCredential: definition.requiresCredential ?? true,
    authorizesItself: (settings: ConnectionSettings) => definition.authorize?.(settings) !== undefined,
    usageInStream: definition.usageInStream ?? 'stream_options',
    stopsOnHangup: definition.stopsOnHangup ?? true,
    ...(prefixes.length > 0 && { barePrefixes: prefixes }),
    ownsModel: (model: string) => prefixes.some((prefix) => model.startsWith(prefix)),
    ...(definition.batchDesk !== undefined && {
      batchDesk: definition.batchDesk,
      batchPriceRatio: definition.batchPriceRatio ?? 1,
    }),
    ...(definition.transcriptsNameNoModel !== undefined && {
      transcriptsNameNoModel: definition.transcriptsNameNoModel,
    }),
    unitRates: (model: string) => unitRatesFor(definition.unitPrices, model),
    traits: (model: string) => ({ ...usualTraits, ...definition.traits?.(model) }),
    endpoint(given: ConnectionSettings): ProviderEndpoint {
      const settings = definition.adjust?.(given) ?? given;
      const base = parseBaseUrl(settings.baseUrl ?? definition.baseUrl, id);
      const prefix = base.pathname.replace(/\/+$/, '');
      const authorize = definition.authorize?.(settings);
      const edits = definition.edits ?? definition.editsFor?.(settings);
      const usualPlace: BatchPlace = {
        at: (_room, tail) => ({
          origin: base.origin,
          path: prefix + (definition.batchPath?.(tail, settings) ?? tail) + base.search,
        }),
      };
      const placeFor = definition.batchPlace ?? (() => usualPlace);
      const batch =
        definition.batchDesk === undefined ? undefined : placeFor(settings, { origin: base.origin, path: prefix });
      return Object.freeze({
        origin: base.origin,
        headers: Object.freeze([...auth(settings), ...Object.entries(settings.headers).flatMap(lowerCaseName)]),
        path(dialect: DialectName, model: string, stream: boolean) {
          const call = { dialect, model, stream, settings };
          const beside = definition.pathBeside?.(call);
          if (beside !== undefined) return prefix.replace(/\/v\d+[a-z0-9]*$/, '') + beside + base.search;
          const path = definition.path?.(call) ?? usualPath[dialect];
          // An operator may have written the whole address of the call instead of its base.
          const whole = prefix.endsWith(path) ? prefix + base.search : prefix + path + base.search;
          return whole.startsWith('/') ? whole : `/${whole}`;
        },
        ...(batch !== undefined && { batch }),
        modelsPath: definition.modelsPath === null ? null : prefix + (definition.modelsPath ?? '/models'),
        ...(authorize !== undefined && { authorize }),
        ...(edits !== undefined && { edits }),
        ...(definition.reframe !== undefined && { reframe: definition.reframe }),
      });
    },
  });
}

/** US dollars. */
export interface UnitPrices {
  readonly character?: number;
  readonly image?: number;
  readonly imageKinds?: Readonly<Record<string, number>>;
  /** A second of audio heard. */
  readonly second?: number;
  readonly query?: number;
}

function unitRatesFor(prices: ProviderDefinition['unitPrices'], model: string): UnitRates | undefined {
  // Of two names that fit, the longer one is the model's own.
  const fitting = Object.keys(prices ?? {}).filter((name) => model.startsWith(name));
  const own = prices?.[fitting.sort((one, other) => other.length - one.length)[0] ?? ''];
  if (own === undefined) return undefined;
  const perMillion = (dollars: number) => Math.round(dollars * 1e15);
  const { character, image, imageKinds, second, query } = own;
  return {
    ...(character !== undefined && { character: perMillion(character) }),
    ...(image !== undefined && { image: perMillion(image) }),
    ...(imageKinds !== undefined && {
      imageKinds: Object.fromEntries(Object.entries(imageKinds).map(([kind, dollars]) => [kind, perMillion(dollars)])),
    }),
    ...(second !== undefined && { audioMs: Math.round(second * 1e12) }),
    ...(query !== undefined && { query: perMillion(query) }),
  };
}

function lowerCaseName([name, value]: [string, string]): [string, string] {
  return [name.toLowerCase(), value];
}

function parseBaseUrl(text: string | null, id: string): URL {
  if (text === null || text === '') {
    throw new ProviderSettingsError(
      'api_base',
      `${id} needs an api_base: the address of your server, such as http://host:8000/v1`,
    );
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ProviderSettingsError('api_base', 'api_base is not an address: expected something like https://host/v1');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ProviderSettingsError('api_base', `api_base must begin with http:// or https://, not ${url.protocol}//`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ProviderSettingsError('api_base', 'api_base must not hold a user name or password: use api_key');
  }
  return url;
}
