import type { CallerHeaders } from '../core/exchange.ts';
import type { JsonObject } from '../core/json.ts';
import type { DialectName, Operation } from '../core/operation.ts';

/** A path of the data plane: what is asked for, and in which wire format. */
export interface DataRoute {
  readonly operation: Operation;
  readonly dialect: DialectName;
  /** Names of route groups that a key's `allowed_routes` may use for it. */
  readonly routeGroups: readonly string[];
  /** Takes a form: sent on while it comes, or only when all of it is here. */
  readonly form?: 'streamed' | 'whole';
  /** Set where the tokens of a request are counted and nothing is generated. */
  readonly counting?: Counting;
}

export interface Counting {
  /** The path of the provider's call, from that of the one that would generate. */
  path(generating: string): string;
  answer(tokens: number): JsonObject;
}

export interface MatchedRoute {
  readonly route: DataRoute;
  /** The model named by the path, decoded; it overrides the body's. */
  readonly model: string | undefined;
  /** Whether the path asks for a stream; undefined where the body says so. */
  readonly stream: boolean | undefined;
}

const chat: DataRoute = {
  operation: 'chat',
  dialect: 'openai-chat',
  routeGroups: ['llm_api_routes', 'openai_routes'],
};
const completions: DataRoute = { ...chat, dialect: 'openai-completions' };
const embeddings: DataRoute = { ...chat, operation: 'embedding', dialect: 'openai-embeddings' };
const responses: DataRoute = { ...chat, dialect: 'openai-responses' };
const compaction: DataRoute = { ...responses, operation: 'compaction', dialect: 'openai-compact' };
const moderations: DataRoute = { ...chat, operation: 'moderation', dialect: 'openai-moderations' };
const rerank: DataRoute = { ...chat, operation: 'rerank', dialect: 'cohere-rerank' };
const embeddingsIn = (dialect: DialectName): DataRoute => ({
  operation: 'embedding',
  dialect,
  routeGroups: ['llm_api_routes'],
});
const images: DataRoute = { ...chat, operation: 'image', dialect: 'openai-images' };
const imageEdits: DataRoute = { ...images, dialect: 'openai-image-edits', form: 'whole' };
const imageVariations: DataRoute = { ...images, dialect: 'openai-image-variations', form: 'whole' };
const speech: DataRoute = { ...chat, operation: 'speech', dialect: 'openai-speech' };
const transcriptions: DataRoute = {
  ...chat,
  operation: 'transcription',
  dialect: 'openai-transcriptions',
  form: 'streamed',
};
const translations: DataRoute = { ...transcriptions, dialect: 'openai-translations' };
/** Not asked by a request of its own: see the WebSocket door. */
export const realtimeRoute: DataRoute = { ...chat, operation: 'realtime', dialect: 'openai-realtime' };
/** The same of Google's Live API. */
export const liveRoute: DataRoute = {
  operation: 'realtime',
  dialect: 'gemini-live',
  routeGroups: ['llm_api_routes', 'google_routes'],
};
/** What is said in a session, transcribed. */
export const transcriptRoute: DataRoute = { ...realtimeRoute, operation: 'transcription' };
const messages: DataRoute = {
  operation: 'chat',
  dialect: 'anthropic-messages',
  routeGroups: ['llm_api_routes', 'anthropic_routes'],
};

const countedMessages: DataRoute = {
  ...messages,
  counting: {
    path: (generating) => `${generating}/count_tokens`,
    answer: (tokens) => ({ input_tokens: tokens }),
  },
};
const countedResponses: DataRoute = {
  ...responses,
  counting: {
    path: (generating) => `${generating}/input_tokens`,
    answer: (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
  },
};

const mistral: DataRoute = { ...chat, dialect: 'mistral-chat', routeGroups: ['llm_api_routes'] };
const cohere: DataRoute = { ...chat, dialect: 'cohere-chat', routeGroups: ['llm_api_routes'] };

const ollamaChat: DataRoute = { ...chat, dialect: 'ollama-chat', routeGroups: ['llm_api_routes'] };
const ollamaGenerate: DataRoute = { ...ollamaChat, dialect: 'ollama-generate' };

const generate: DataRoute = {
  operation: 'chat',
  dialect: 'gemini-generate',
  routeGroups: ['llm_api_routes', 'google_routes'],
};

/** Every path takes POST only. */
const exact: ReadonlyMap<string, MatchedRoute> = new Map(
  (
    [
      ['/chat/completions', chat],
      ['/queue/chat/completions', chat],
      ['/completions', completions],
      ['/embeddings', embeddings],
      ['/responses', responses],
      ['/responses/input_tokens', countedResponses],
      ['/responses/compact', compaction],
      ['/messages', messages],
      ['/messages/count_tokens', countedMessages],
      ['/moderations', moderations],
      ['/rerank', rerank],
      ['/images/generations', images],
      ['/images/edits', imageEdits],
      ['/images/variations', imageVariations],
      ['/audio/speech', speech],
      ['/audio/transcriptions', transcriptions],
      ['/audio/translations', translations],
    ] as const
  )
    .flatMap(([path, route]): [string, DataRoute][] => [
      [path, route],
      [`/v1${path}`, route],
      // Where clients of other services look for the same: Groq's, Azure's.
      [`/openai/v1${path}`, route],
    ])
    .concat([
      ['/api/chat', ollamaChat],
      ['/api/generate', ollamaGenerate],
      // Below a name of its own: at /v1 the same paths are OpenAI's, and below the provider's alone requests pass as sent.
      ['/mistral-api/v1/chat/completions', mistral],
      ['/mistral-api/v1/embeddings', embeddings],
      ['/mistral-api/v1/moderations', moderations],
      ['/mistral-api/v1/audio/transcriptions', transcriptions],
      ['/v2/chat', cohere],
      ['/cohere/v2/chat', cohere],
      ['/v2/rerank', rerank],
      ['/v2/embed', embeddingsIn('cohere-embed')],
      ['/v2/audio/transcriptions', transcriptions],
      ['/api/embed', embeddingsIn('ollama-embed')],
      ['/api/embeddings', embeddingsIn('ollama-embeddings')],
    ])
    .map(([path, route]) => [path, { route, model: undefined, stream: undefined }]),
);

/** `<prefix>{model}<suffix>`; the model may hold slashes. */
const modelPrefixes = ['/openai/deployments/', '/engines/', '/v1/engines/'] as const;
const modelSuffixes = [
  ['/chat/completions', chat],
  ['/completions', completions],
  ['/embeddings', embeddings],
  ['/images/generations', images],
  ['/images/edits', imageEdits],
  ['/audio/speech', speech],
  ['/audio/transcriptions', transcriptions],
  ['/audio/translations', translations],
] as const;

const converse: DataRoute = {
  operation: 'chat',
  dialect: 'bedrock-converse',
  routeGroups: ['llm_api_routes', 'bedrock_routes'],
};
const invoke: DataRoute = { ...converse, dialect: 'bedrock-invoke' };
const invokedRerank: DataRoute = { ...converse, operation: 'rerank', dialect: 'invoked-rerank' };
const invokedTitanEmbed: DataRoute = { ...converse, operation: 'embedding', dialect: 'titan-embed' };
const invokedCohereEmbed: DataRoute = { ...converse, operation: 'embedding', dialect: 'invoked-cohere-embed' };

const amazonVerbs = ['converse', 'converse-stream', 'invoke', 'invoke-with-response-stream'] as const;

/** `/model/{id}/<verb>`, also where other gateways have it; the id may be a resource name with slashes. */
const amazonPath = new RegExp(`^(?:/bedrock)?/model/(.+)/(${amazonVerbs.join('|')})$`);

/** `<prefix>{model}:<verb>`; behind the first of these stands a place at Google Cloud. */
const googlePath =
  /^(?:\/v1(?:beta1?)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/[^/]+|\/v1(?:beta1?)?)?\/models\/(.+):(\w+)$/;
const googleVerbs: ReadonlyMap<string, DataRoute> = new Map([
  ['generateContent', generate],
  ['streamGenerateContent', generate],
  [
    'countTokens',
    {
      ...generate,
      counting: {
        path: (generating) => generating.replace(/:generateContent$/, ':countTokens'),
        answer: (tokens) => ({ totalTokens: tokens }),
      },
    },
  ],
  ['embedContent', { ...generate, operation: 'embedding', dialect: 'gemini-embed' }],
  ['batchEmbedContents', { ...generate, operation: 'embedding', dialect: 'gemini-batch-embed' }],
]);

/** Paths without parameters, for documents and listings. */
export const dataPaths: readonly string[] = [
  ...exact.keys(),
  ...amazonVerbs.map((verb) => `/model/{model}/${verb}`),
  ...[...googleVerbs.keys()].map((verb) => `/v1beta/models/{model}:${verb}`),
  ...modelPrefixes.flatMap((prefix) => modelSuffixes.map(([suffix]) => `${prefix}{model}${suffix}`)),
];

/** Whose clients come to paths like these; the verbs that there are below a model. */
const families: readonly (readonly [RegExp, DialectName, readonly string[]])[] = [
  [googlePath, 'gemini-generate', [...googleVerbs.keys()].map((verb) => `:${verb}`)],
  [/^\/v1beta1?\//, 'gemini-generate', []],
  [/^(?:\/bedrock)?\/model\/[^/]+\/[^/]+$/, 'bedrock-converse', amazonVerbs.map((verb) => `/${verb}`)],
  [/^\/v1\/messages\//, 'anthropic-messages', []],
  [/^(?:\/cohere)?\/v2\//, 'cohere-chat', []],
];

/** Whether a path asks something of a model in Google's way, whatever it asks. */
export function isVerbOfModel(path: string): boolean {
  return googlePath.test(path);
}

/** Whose clients ask for models at a path, where those are not OpenAI's. */
export function listingDialect(path: string, headers: CallerHeaders): DialectName | undefined {
  if (path.startsWith('/v1beta/')) return 'gemini-generate';
  if (!/^(?:\/v1)?\/models(?:\/|$)/.test(path)) return undefined;
  // Google's own client asks at either version.
  if (headers['x-goog-api-key'] !== undefined) return 'gemini-generate';
  return headers['anthropic-version'] === undefined ? undefined : 'anthropic-messages';
}

/** In which format the clients of a path that nobody serves read that it is not there, and what to tell them. */
export function strangePath(path: string): { readonly dialect: DialectName; readonly message: string } | undefined {
  const family = families.find(([pattern]) => pattern.test(path));
  if (family === undefined) return undefined;
  const [, dialect, verbs] = family;
  const known = verbs.length === 0 ? '' : ` Below a model there are ${verbs.join(', ')}.`;
  return { dialect, message: `Nothing at ${path.slice(0, 200)}.${known}` };
}

/** The data route of a path, or undefined when it is none. */
export function matchRoute(path: string, query = ''): MatchedRoute | undefined {
  return exact.get(path) ?? matchModelPath(path) ?? matchGooglePath(path, query) ?? matchAmazonPath(path);
}

function matchAmazonPath(path: string): MatchedRoute | undefined {
  const match = amazonPath.exec(path);
  if (match === null) return undefined;
  const verb = match[2]!;
  const model = decoded(match[1]!);
  const route = verb.startsWith('converse') ? converse : verb === 'invoke' ? invokedBy(model) : invoke;
  return { route, model, stream: verb.endsWith('stream') };
}

/** Embeddings and rankings are asked for by the same call: what a body means follows from the model's name. */
function invokedBy(model = ''): DataRoute {
  if (/rerank/i.test(model)) return invokedRerank;
  if (!/embed/i.test(model)) return invoke;
  return /cohere/i.test(model) ? invokedCohereEmbed : invokedTitanEmbed;
}

function matchGooglePath(path: string, query: string): MatchedRoute | undefined {
  const match = googlePath.exec(path);
  const verb = match?.[2] ?? '';
  const route = googleVerbs.get(verb);
  if (match === null || route === undefined) return undefined;
  const stream = verb.startsWith('stream');
  const isList = stream && new URLSearchParams(query).get('alt') !== 'sse';
  return { route: isList ? { ...route, dialect: 'gemini-array' } : route, model: decoded(match[1]!), stream };
}

function matchModelPath(path: string): MatchedRoute | undefined {
  for (const prefix of modelPrefixes) {
    if (!path.startsWith(prefix)) continue;
    for (const [suffix, route] of modelSuffixes) {
      if (path.endsWith(suffix) && path.length > prefix.length + suffix.length) {
        return { route, model: decoded(path.slice(prefix.length, -suffix.length)), stream: undefined };
      }
    }
  }
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
