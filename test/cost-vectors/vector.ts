import { readFileSync } from 'node:fs';
import { Findings } from '../../src/config/findings.ts';
import { Origins } from '../../src/config/origin.ts';
import { readPriceSettings } from '../../src/config/price-settings.ts';
import { priceFromSettings } from '../../src/config/prices.ts';
import { chargeOf } from '../../src/core/charge.ts';
import type { AnswerOptions } from '../../src/core/dialect.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { priceAt } from '../../src/core/off-peak.ts';
import { costOf, type Price } from '../../src/core/price.ts';
import type { Usage } from '../../src/core/usage.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiEmbeddings } from '../../src/dialects/openai-embeddings/index.ts';
import { settings } from '../builders.ts';

/** One line of vectors.jsonl; see generate.py for how the expected figures were found. */
export interface CostVector {
  readonly id: number;
  readonly note: string;
  readonly byHand: boolean;
  readonly format: 'chat' | 'chat-stream' | 'messages' | 'messages-stream' | 'embeddings';
  /** As the provider reports it; for a stream what each event reports, null where an event reports nothing. */
  readonly usage: JsonObject | readonly (JsonObject | null)[];
  /** Price keys as in the configuration: dollars a token, `tiered_pricing`, `off_peak_pricing`. */
  readonly prices: JsonObject;
  readonly serviceTier?: string;
  /** When it is admitted. */
  readonly at?: string;
  readonly perRequestNanodollars?: number;
  readonly webSearchDollars?: number;
  readonly discount?: number;
  readonly margin?: { readonly ratio?: number; readonly fixed?: number };
  readonly expected: {
    /** Classes that are not 0. */
    readonly usage: Partial<Usage>;
    /** Whole nano-dollars before and after discount and margin. */
    readonly listed: number;
    readonly charged: number;
  };
}

export const costVectors: readonly CostVector[] = readFileSync(new URL('vectors.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as CostVector);

/** What the gateway makes of a vector, through the readers, the price settings and the charge that requests use. */
export function resultOf(vector: CostVector): CostVector['expected'] {
  const usage = readUsage(vector);
  const price = priceOf(vector);
  const listed = costOf(usage, price);
  const rules = settings({
    priceDiscounts: vector.discount === undefined ? {} : { acme: vector.discount },
    priceMargins: vector.margin === undefined ? {} : { global: { ratio: 0, fixed: 0, ...vector.margin } },
  });
  const { charged } = chargeOf(listed, 'acme', rules);
  const classes = Object.entries(usage).filter(([, value]) => value !== 0 && value !== false);
  return { usage: Object.fromEntries(classes) as Partial<Usage>, listed, charged };
}

function priceOf(vector: CostVector): Price {
  const search =
    vector.webSearchDollars === undefined
      ? {}
      : { search_context_cost_per_query: { search_context_size_medium: vector.webSearchDollars } };
  const findings = new Findings('vectors', {}, new Origins());
  const written = readPriceSettings({ ...vector.prices, ...search }, {}, [], [], findings);
  const price = written === undefined ? null : priceFromSettings(written, null, false);
  if (price === null) throw new Error(`vector ${vector.id}: not a price`);
  const whole = { ...price, perRequest: vector.perRequestNanodollars ?? price.perRequest };
  return vector.at === undefined ? whole : priceAt(whole, Date.parse(vector.at));
}

const answerOptions: AnswerOptions = { model: undefined, usageInStream: true, requestId: 'r', createdAt: 0 };

function readUsage({ id, format, usage, serviceTier }: CostVector): Usage {
  const found = format.endsWith('-stream')
    ? readStream(format, usage as readonly (JsonObject | null)[])
    : readWhole(format, usage as JsonObject, serviceTier);
  if (found === undefined) throw new Error(`vector ${id}: no usage was found`);
  return found;
}

const answer = { index: 0, message: { role: 'assistant', content: 'text' }, finish_reason: 'stop' };

function readWhole(format: CostVector['format'], usage: JsonObject, serviceTier: string | undefined) {
  const tier = serviceTier === undefined ? {} : { service_tier: serviceTier };
  switch (format) {
    case 'chat':
      return openaiChat.response.read({ object: 'chat.completion', choices: [answer], usage, ...tier }).usage;
    case 'embeddings':
      return openaiEmbeddings.response.read({ object: 'list', data: [], usage }).usage;
    default:
      return anthropicMessages.response.read({ type: 'message', content: [], usage: { ...usage, ...tier } }).usage;
  }
}

function readStream(format: CostVector['format'], reports: readonly (JsonObject | null)[]): Usage | undefined {
  const isChat = format === 'chat-stream';
  const relay = (isChat ? openaiChat : anthropicMessages).relay(answerOptions);
  const push = (event: string, data: JsonObject | string) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    relay.push(Buffer.from(`${event === '' ? '' : `event: ${event}\n`}data: ${text}\n\n`));
  };
  if (isChat) {
    for (const usage of reports) {
      const choices = usage === null ? [{ index: 0, delta: { content: 'text' }, finish_reason: null }] : [];
      push('', { object: 'chat.completion.chunk', choices, usage });
    }
    push('', '[DONE]');
  } else {
    const [first, ...later] = reports;
    push('message_start', { type: 'message_start', message: { type: 'message', content: [], usage: first ?? null } });
    for (const usage of later) push('message_delta', { type: 'message_delta', delta: {}, usage });
    push('message_stop', { type: 'message_stop' });
  }
  return relay.progress.usage;
}
