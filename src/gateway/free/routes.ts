import type { DialectName } from '../../core/operation.ts';
import type { Gateway } from '../gateway.ts';
import { cancelAnswer, deleteAnswer, getAnswer, listInputItems } from './answers.ts';
import { cancelBatch, createBatch, getBatch, listBatches } from './batches.ts';
import type { FreeAnswer, FreeCall } from './call.ts';
import {
  createClientSecret,
  createSession,
  createTranscriptionSession,
  createTranslationSecret,
  refuseCall,
} from './client-secrets.ts';
import {
  addItems,
  createConversation,
  deleteConversation,
  deleteItem,
  getConversation,
  getItem,
  listItems,
  updateConversation,
} from './conversations.ts';
import { createFile, deleteFile, getFile, getFileContent, listFiles } from './files.ts';
import { createLiveToken } from './live-tokens.ts';
import {
  cancelMessageBatch,
  createMessageBatch,
  deleteMessageBatch,
  getMessageBatch,
  getMessageBatchResults,
  listMessageBatches,
} from './message-batches.ts';
import { listRunning, listTags, showModel, tellVersion } from './ollama.ts';
import { onceWithKey } from './run-once.ts';

/** A path of the data plane where nothing is bought. */
export interface FreeRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `{name}` stands for one segment. */
  readonly path: string;
  /** Whether `/v1` may stand before it, as is usual. */
  readonly hasVersion: boolean;
  /** In whose words errors are told. */
  readonly dialect: DialectName;
  readonly routeGroups: readonly string[];
  /** Takes a form. */
  readonly form?: boolean;
  /** Whatever is sent is not looked at. */
  readonly ignoresBody?: boolean;
  readonly run: (gateway: Gateway, call: FreeCall) => Promise<FreeAnswer>;
}

const openai = { dialect: 'openai-responses', routeGroups: ['llm_api_routes', 'openai_routes'] } as const;

const route = (method: FreeRoute['method'], path: string, run: FreeRoute['run']): FreeRoute => ({
  method,
  path,
  run,
  ...openai,
  hasVersion: true,
});

const ollama = (method: FreeRoute['method'], path: string, run: FreeRoute['run']): FreeRoute => ({
  method,
  path,
  run,
  dialect: 'ollama-chat',
  routeGroups: ['llm_api_routes', 'info_routes'],
  hasVersion: false,
});

const anthropic = (method: FreeRoute['method'], path: string, run: FreeRoute['run']): FreeRoute => ({
  ...route(method, path, run),
  dialect: 'anthropic-messages',
  routeGroups: ['llm_api_routes', 'anthropic_routes'],
});

const google = (path: string, run: FreeRoute['run'], hasVersion = false): FreeRoute => ({
  ...route('POST', path, run),
  dialect: 'gemini-generate',
  routeGroups: ['llm_api_routes', 'google_routes'],
  hasVersion,
});

export const freeRoutes: readonly FreeRoute[] = [
  ollama('GET', '/api/version', tellVersion),
  ollama('GET', '/api/tags', listTags),
  ollama('GET', '/api/ps', listRunning),
  ollama('POST', '/api/show', showModel),
  { ...route('POST', '/files', createFile), form: true },
  route('GET', '/files', listFiles),
  route('GET', '/files/{id}', getFile),
  route('GET', '/files/{id}/content', getFileContent),
  route('DELETE', '/files/{id}', deleteFile),
  route('POST', '/batches', onceWithKey(createBatch)),
  route('GET', '/batches', listBatches),
  route('GET', '/batches/{id}', getBatch),
  route('POST', '/batches/{id}/cancel', cancelBatch),
  anthropic('POST', '/messages/batches', onceWithKey(createMessageBatch)),
  anthropic('GET', '/messages/batches', listMessageBatches),
  anthropic('GET', '/messages/batches/{id}', getMessageBatch),
  anthropic('GET', '/messages/batches/{id}/results', getMessageBatchResults),
  anthropic('POST', '/messages/batches/{id}/cancel', cancelMessageBatch),
  anthropic('DELETE', '/messages/batches/{id}', deleteMessageBatch),
  route('GET', '/responses/{id}', getAnswer),
  route('DELETE', '/responses/{id}', deleteAnswer),
  route('POST', '/responses/{id}/cancel', cancelAnswer),
  route('GET', '/responses/{id}/input_items', listInputItems),
  route('POST', '/conversations', createConversation),
  route('GET', '/conversations/{id}', getConversation),
  route('POST', '/conversations/{id}', updateConversation),
  route('DELETE', '/conversations/{id}', deleteConversation),
  route('GET', '/conversations/{id}/items', listItems),
  route('POST', '/conversations/{id}/items', addItems),
  route('GET', '/conversations/{id}/items/{item}', getItem),
  route('DELETE', '/conversations/{id}/items/{item}', deleteItem),
  route('POST', '/realtime/client_secrets', createClientSecret),
  route('POST', '/realtime/sessions', createSession),
  route('POST', '/realtime/transcription_sessions', createTranscriptionSession),
  route('POST', '/realtime/translations/client_secrets', createTranslationSecret),
  { ...route('POST', '/realtime/calls', refuseCall), ignoresBody: true },
  { ...route('POST', '/realtime/translations/calls', refuseCall), ignoresBody: true },
  google('/auth_tokens', createLiveToken, true),
  google('/v1alpha/auth_tokens', createLiveToken),
  google('/v1beta/auth_tokens', createLiveToken),
];

export interface MatchedFree {
  readonly routes: readonly FreeRoute[];
  readonly params: readonly string[];
}

const patterns = new Map<string, { segments: readonly string[]; routes: FreeRoute[] }>();
for (const one of freeRoutes) {
  const known = patterns.get(one.path);
  if (known === undefined) patterns.set(one.path, { segments: one.path.split('/'), routes: [one] });
  else known.routes.push(one);
}
/** As documents show them. */
export const freePaths = freeRoutes.map(({ method, path, hasVersion }) => ({
  method,
  path: hasVersion ? `/v1${path}` : path,
}));

const firstSegments = new Set([...patterns.values()].map(({ segments }) => segments[1]));

/** Every method that a path takes; undefined when it is none of these. */
export function matchFree(path: string): MatchedFree | undefined {
  const bare = path.startsWith('/openai/v1/') ? path.slice(10) : path.startsWith('/v1/') ? path.slice(3) : path;
  const segments = bare.split('/');
  if (!firstSegments.has(segments[1])) return undefined;
  for (const { segments: pattern, routes } of patterns.values()) {
    if (pattern.length !== segments.length) continue;
    const params: string[] = [];
    const fits = pattern.every((segment, index) => {
      if (!segment.startsWith('{')) return segment === segments[index];
      params.push(decoded(segments[index] ?? ''));
      return segments[index] !== '';
    });
    if (fits) return { routes, params };
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
