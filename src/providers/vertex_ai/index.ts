import type { BodyEdits } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { type BodyCall, type ConnectionSettings, ProviderSettingsError } from '../../core/provider.ts';
import { addressIn, folderIn } from '../batch-store.ts';
import { claudeTraits } from '../claude-generation.ts';
import { defineProvider } from '../define.ts';
import { tokenHeader } from '../token-header.ts';
import { accessToken, credentialsIn } from './credentials.ts';

const locationDefault = 'us-central1';
const claudeVersion = 'vertex-2023-10-16';

/** Google's own models in their own format, Anthropic's in theirs, open ones like OpenAI's. */
export const vertexAi = defineProvider({
  id: 'vertex_ai',
  name: 'Vertex AI',
  conventionName: 'gcp.vertex_ai',
  documentation: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
  aliases: ['vertex_ai_beta', 'vertex'],
  modelPrefixes: [
    ...['textembedding-gecko', 'text-embedding-0', 'text-embedding-large-', 'text-embedding-preview-'],
    ...['text-multilingual-embedding-', 'multimodalembedding', 'imagegeneration@', 'imagen-'],
  ],
  baseUrl: null,
  baseUrlVariable: 'VERTEXAI_API_BASE',
  requiresCredential: false,
  environmentVariables: [
    ...['VERTEXAI_PROJECT', 'GOOGLE_CLOUD_PROJECT', 'VERTEXAI_LOCATION', 'VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION'],
    ...['VERTEXAI_CREDENTIALS', 'GOOGLE_APPLICATION_CREDENTIALS', 'HOME', 'APPDATA', 'GCS_BUCKET_NAME'],
  ],
  dialects: {
    chat: ['gemini-generate', 'anthropic-messages', 'openai-chat'],
    embedding: ['vertex-embed'],
    rerank: ['vertex-ranking'],
    image: ['imagen-images'],
    realtime: ['gemini-live'],
  },
  catalogueIds: ['vertex_ai', 'google-vertex', 'google', 'gemini'],
  // https://cloud.google.com/generative-ai-app-builder/pricing
  unitPrices: { 'semantic-ranker': { query: 0.001 } },
  usageInStream: 'always',
  auth: ({ credential }) => {
    if (credential === null) return [];
    const key = credential.reveal();
    // An access token fetched elsewhere, or the key of an express account.
    return key.startsWith('ya29.') ? ['authorization', `Bearer ${key}`] : ['x-goog-api-key', key];
  },
  authorize: (settings) => {
    if (settings.credential !== null) return undefined;
    const { HOME: home, APPDATA: appData } = settings.environment ?? {};
    const folder = appData === undefined ? home && `${home}/.config/gcloud` : `${appData}/gcloud`;
    const places = {
      written: writtenCredentials(settings),
      defaultFile: folder === undefined ? null : `${folder}/application_default_credentials.json`,
    };
    return tokenHeader(['google', places.written, places.defaultFile], (outside) => accessToken(places, outside));
  },
  adjust: (settings) => {
    const isExpress = isKey(settings) && projectOf(settings) === undefined;
    if (!isExpress && projectOf(settings) === undefined) {
      throw new ProviderSettingsError(
        'vertex_project',
        'vertex_ai needs a vertex_project, or VERTEXAI_PROJECT to be set',
      );
    }
    const address = isRanker(settings.model) ? rankingAddress : addressOf(isExpress ? 'global' : locationOf(settings));
    return { ...settings, baseUrl: settings.baseUrl ?? address };
  },
  path: ({ dialect, model, stream, settings }) => {
    // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/multimodal-live
    if (dialect === 'gemini-live') return '/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent';
    const project = projectOf(settings);
    if (dialect === 'vertex-ranking') {
      return `/v1/projects/${project}/locations/global/rankingConfigs/default_ranking_config:rank`;
    }
    // An express account is its key.
    const place = project === undefined ? '/v1' : `/v1/projects/${project}/locations/${locationOf(settings)}`;
    if (dialect === 'openai-chat') return `${place}/endpoints/openapi/chat/completions`;
    if (dialect === 'anthropic-messages') {
      return `${place}/publishers/anthropic/models/${model}:${stream ? 'streamRawPredict' : 'rawPredict'}`;
    }
    const isTask = dialect === 'vertex-embed' || dialect === 'imagen-images';
    const verb = isTask ? 'predict' : stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
    const name = nameOf(model);
    // A tuned model stands behind an endpoint of its own, which has a number.
    return /^\d+$/.test(name)
      ? `${place}/endpoints/${name}:${verb}`
      : `${place}/publishers/google/models/${name}:${verb}`;
  },
  editsFor: (settings) => (call) => {
    if (call.dialect === 'anthropic-messages') return claudeEdits(call);
    return new Map(call.dialect === 'gemini-live' ? [['model', resourceOf(call.model, settings)]] : []);
  },
  // https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini
  batchDesk: 'vertex-jobs',
  batchPriceRatio: 0.5,
  batchPlace: (settings, base) => {
    const bucket = textOf(settings.extra.gcs_bucket_name) ?? settings.environment?.GCS_BUCKET_NAME;
    const project = projectOf(settings);
    if (bucket === undefined || project === undefined) return undefined;
    const files = textOf(settings.extra.gcs_endpoint_url) ?? 'https://storage.googleapis.com';
    const jobs = `${base.path}/v1/projects/${project}/locations/${locationOf(settings)}`;
    return {
      at: (room, tail) => (room === 'files' ? addressIn(files, tail) : { origin: base.origin, path: jobs + tail }),
      model: (model, dialect) =>
        `publishers/${dialect === 'anthropic-messages' ? 'anthropic' : 'google'}/models/${nameOf(model)}`,
      store: { uri: folderIn('gs', bucket), role: null },
    };
  },
  modelsPath: null,
  traits: (model) => {
    if (model.startsWith('claude')) {
      return { ...claudeTraits(model.replace('@', '-')), supportsImageUrls: false, soleDialect: 'anthropic-messages' };
    }
    const isGoogles = /^(gemini|gemma-|learnlm|medlm)/.test(model) || /^\d+$/.test(model);
    if (!isGoogles) return { soleDialect: 'openai-chat' };
    return { soleDialect: 'gemini-generate', thinkingLevels: /gemini-([3-9]|\d\d)/.test(model) };
  },
});

function nameOf(model: string): string {
  return model.replace(/^gemini\//, '');
}

/** The whole name of one of Google's models, for what names it in a message. */
function resourceOf(model: string, settings: ConnectionSettings): string {
  const project = projectOf(settings);
  const place = project === undefined ? '' : `projects/${project}/locations/${locationOf(settings)}/`;
  return `${place}publishers/google/models/${nameOf(model)}`;
}

/** Rankers are another service's. */
const rankingAddress = 'https://discoveryengine.googleapis.com';

function isRanker(model: string): boolean {
  return model.startsWith('semantic-ranker');
}

/** The address names the model, the body the version. */
function claudeEdits({ body }: BodyCall): BodyEdits {
  const version = body.anthropic_version;
  return new Map<string, unknown>([
    ['model', undefined],
    ['anthropic_version', typeof version === 'string' && version.startsWith('vertex-') ? version : claudeVersion],
  ]);
}

function writtenCredentials(settings: ConnectionSettings): string | null {
  const { vertex_credentials: given } = settings.extra;
  if (typeof given === 'object' && given !== null) return JSON.stringify(given);
  const { VERTEXAI_CREDENTIALS: own, GOOGLE_APPLICATION_CREDENTIALS: googles } = settings.environment ?? {};
  return textOf(given) ?? own ?? googles ?? null;
}

function isKey({ credential }: ConnectionSettings): boolean {
  return credential !== null && !credential.reveal().startsWith('ya29.');
}

function projectOf(settings: ConnectionSettings): string | undefined {
  const { VERTEXAI_PROJECT: own, GOOGLE_CLOUD_PROJECT: googles } = settings.environment ?? {};
  const named = textOf(settings.extra.vertex_project) ?? own ?? googles ?? projectIn(writtenCredentials(settings));
  return named === undefined ? undefined : encodeURIComponent(named);
}

/** The key file of a service account names its project, where the file itself is written down. */
function projectIn(written: string | null): string | undefined {
  if (written === null || !written.trimStart().startsWith('{')) return undefined;
  let credentials: JsonObject;
  try {
    credentials = credentialsIn(written);
  } catch {
    throw new ProviderSettingsError('vertex_credentials', 'vertex_credentials are neither JSON nor the name of a file');
  }
  return textOf(credentials.project_id ?? credentials.quota_project_id);
}

function locationOf(settings: ConnectionSettings): string {
  const { VERTEXAI_LOCATION: own, VERTEX_LOCATION: other, GOOGLE_CLOUD_LOCATION: googles } = settings.environment ?? {};
  return textOf(settings.extra.vertex_location) ?? own ?? other ?? googles ?? locationDefault;
}

function addressOf(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
