import { isJsonObject, type JsonObject } from '../core/json.ts';
import { cloudModel, type DemoModel, selfHostedModel } from './models.ts';

/** Words with the space before them; one is one token. */
const tokenPattern = /\s*\S{1,8}/gu;

export interface DemoAnswer {
  /** The text in pieces of one token each. */
  readonly tokens: readonly string[];
  readonly finish: 'stop' | 'length';
  readonly promptTokens: number;
}

export function demoAnswer(model: DemoModel, body: JsonObject, bodyBytes: number): DemoAnswer {
  const asked = lastText(body);
  const limit = body.max_completion_tokens ?? body.max_tokens;
  const tokens = answerText(model, asked).match(tokenPattern) ?? [];
  const tokensMax = typeof limit === 'number' && limit >= 0 ? Math.floor(limit) : tokens.length;
  return {
    tokens: tokens.slice(0, tokensMax),
    finish: tokensMax < tokens.length ? 'length' : 'stop',
    promptTokens: Math.max(1, Math.ceil(bodyBytes / 4)),
  };
}

function answerText(model: DemoModel, asked: string): string {
  if (asked === '/down')
    return `${selfHostedModel.name} is down now. Ask it something: ${cloudModel.name} will answer.`;
  if (asked === '/up') return `${selfHostedModel.name} is up again.`;
  const echo = Array.from(asked.replaceAll(/\s+/g, ' ')).slice(0, 80).join('');
  const hint =
    model.kind === 'self-hosted'
      ? `To see a failover, send me the message /down: I stop answering and ${cloudModel.name} takes over, until you send /up.`
      : `If you asked ${selfHostedModel.name}, it is down and this is its fallback: send the message /up to bring it back.`;
  return `Hello from ${model.name}, a model that the built-in demo simulates on your machine. You wrote: "${echo}". My words are canned, but what carried them is real: your key was checked, the route was planned, tokens and cost are on record. ${hint} With --config FILE real models answer.`;
}

/** What the caller wrote last, trimmed: the last message's text, or the prompt. */
export function lastText(body: JsonObject): string {
  const last = Array.isArray(body.messages) ? body.messages.at(-1) : undefined;
  const content = isJsonObject(last) ? last.content : body.prompt;
  if (typeof content === 'string') return content.trim();
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isJsonObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join(' ')
    .trim();
}
