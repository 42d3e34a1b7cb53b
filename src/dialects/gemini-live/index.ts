import type { Usage } from '../../core/usage.ts';
import { optionalString } from '../body-checks.ts';
import { googleErrors } from '../gemini/errors.ts';
import { taskDialect } from '../task-dialect.ts';
import { GeminiLiveSession } from './session.ts';

/** The longest answer, and the longest context, of these models where a model's description tells none. */
const outputTokensMax = 8_192;
const contextTokensMax = 131_072;

/** https://ai.google.dev/api/live: a session of messages. A body stands for one answer of it. */
export const geminiLive = taskDialect<{ model: string }, { id: string; model: string; usage: Usage | undefined }>({
  name: 'gemini-live',
  operation: 'realtime',
  inspect: (body) => ({
    model: optionalString(body, 'model'),
    stream: true,
    maxOutputTokens: typeof body.max_output_tokens === 'number' ? body.max_output_tokens : outputTokensMax,
    mediaTokensMax: contextTokensMax,
    ...(body.searches === true ? { webSearchCallsMax: undefined } : {}),
  }),
  decodeRequest: (body) => ({ model: optionalString(body, 'model') ?? '' }),
  encodeRequest: ({ model }) => ({ model }),
  decodeResponse: () => ({ id: '', model: '', usage: undefined }),
  encodeResponse: () => ({}),
  errors: googleErrors,
  session: () => new GeminiLiveSession(),
});
