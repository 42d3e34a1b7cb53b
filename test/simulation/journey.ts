import type { ByteSink, Reply } from '../../src/core/exchange.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { OpenClient } from '../../src/http/client-presence.ts';
import type { Incarnation } from './oracle.ts';
import { costExpected, type PriceList, stopsOnHangup } from './price-lists.ts';
import type { Call } from './provider.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { Key } from './tenants.ts';
import { Violation } from './violation.ts';

export interface Question {
  readonly name: string;
  readonly key: Key;
  readonly process: Incarnation;
  readonly prices: PriceList;
  readonly path: '/v1/chat/completions' | '/v1/messages';
  readonly isStream: boolean;
  readonly bytes: Buffer;
  readonly askedAt: number;
}

/** Ends that no provider told us. */
const unheard: ReadonlySet<string> = new Set(['aborted', 'upstream_timeout', 'upstream_connection', 'shutting_down']);

/** One request as its caller lives through it, with all that providers did for it. */
export class Journey implements ByteSink {
  readonly question: Question;
  readonly client: OpenClient;
  readonly calls: Call[] = [];
  readonly rows: RequestRecord[] = [];
  /** Of its row; null while it holds nothing. */
  id: string | null = null;
  reply: Reply | null = null;
  /** The caller has its whole answer, or left. */
  isOver = false;
  hasLeft = false;
  /** Reads no further until told. */
  isWaiting = false;
  #ends = 0;
  #received: Uint8Array[] = [];
  #receivedBytes = 0;
  readonly #chance: SeededChance;

  constructor(question: Question, chance: SeededChance) {
    this.question = question;
    this.#chance = chance;
    this.client = new OpenClient(question.path === '/v1/messages' ? 'anthropic-messages' : 'openai-chat');
  }

  answered(reply: Reply): void {
    if (this.reply !== null) this.#violated('L2', 'was answered twice');
    this.reply = reply;
    if (reply.body instanceof Uint8Array) this.isOver = true;
    else if (this.hasLeft) reply.body.cancel();
    else reply.body.start(this);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ends > 0) this.#violated('L2', 'got bytes after its end');
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    this.isWaiting = this.#chance.happens(0.03);
    return !this.isWaiting;
  }

  end(): void {
    this.#ends += 1;
    if (this.#ends > 1) this.#violated('L2', 'ended twice');
    this.isOver = true;
  }

  destroy(): void {
    this.end();
  }

  read(): void {
    this.isWaiting = false;
    if (this.reply !== null && !(this.reply.body instanceof Uint8Array)) this.reply.body.resume();
  }

  leave(): void {
    this.hasLeft = true;
    this.isOver = true;
    this.client.leave();
    if (this.reply !== null && !(this.reply.body instanceof Uint8Array)) this.reply.body.cancel();
  }

  /** A provider is called for it. */
  called(call: Call): void {
    if (this.#receivedBytes > 0) this.#violated('commit', 'was sent once more after its caller had content');
    if (this.rows.length > 0) this.#violated('S6', 'was sent after its end');
    this.calls.push(call);
  }

  /** S7, S8, S14, S15, S19: the row it leaves. */
  recorded(row: RequestRecord, bound: Nanodollars, isBreached: boolean): void {
    this.rows.push(row);
    if (this.rows.length > 1) this.#violated('S7', 'left two rows');
    const last = this.calls.at(-1);
    const ambiguous = row.attempts.reduce((sum, { charged }) => sum + charged, 0);
    const invoice = this.calls.reduce((sum, call) => sum + this.#priced(call), 0);
    if (row.cacheHit) {
      if (row.cost !== 0 || this.calls.length > 0)
        this.#violated('S19', `was answered by the cache and costs ${row.cost}`);
      return;
    }
    if (row.status === 'denied' || last === undefined) {
      if (row.cost !== 0) this.#violated('S8', `was not sent and costs ${row.cost}`);
      return;
    }
    if (row.attempts.length !== this.calls.length) {
      this.#violated(
        'S6',
        `was sent ${this.calls.length} times, its row tells of ${row.attempts.length}: ${this.#told()}`,
      );
    }
    // What goes beyond its limit unseen, nobody can know.
    const isUnseen = !isBreached && this.calls.some(({ behaviour }) => behaviour === 'bills beyond its limit');
    if (row.cost < invoice && !isUnseen)
      this.#violated('S8', `costs ${row.cost}, billed are ${invoice} for ${this.#told()}`);
    if (row.cost > bound !== isBreached) this.#violated('S4', `costs ${row.cost} of ${bound} and does not say so`);
    const own = this.#ownCost(row, last);
    const cost = row.cost - ambiguous;
    if (cost < own.least || cost > own.most) {
      this.#violated('S14', `costs ${cost} instead of ${own.least} to ${own.most} for ${this.#told()}`);
    }
    if (row.status === 'success' && last.usageTold) this.#checkClasses(row, last);
  }

  /** What the answering attempt must cost beside those whose end nobody saw; exactly, where its usage was told. */
  #ownCost(row: RequestRecord, last: Call): { readonly least: Nanodollars; readonly most: Nanodollars } {
    const attempt = row.attempts.at(-1)!;
    const isSettled = row.status === 'success' || (row.status === 'aborted' && attempt.result === 'aborted');
    // After its commit a stream that breaks is paid for what arrived.
    const isBroken = row.status === 'failure' && last.billed.output > 0;
    if (attempt.ambiguous || !(isSettled || isBroken)) return exactly(0);
    // A provider that goes on working is owed what was held for it.
    if (unheard.has(attempt.result) && !stopsOnHangup(last.deploymentId)) {
      const isBeyond = last.behaviour === 'bills beyond its limit';
      return { least: isBeyond ? 0 : this.#priced(last), most: row.bound };
    }
    if (last.usageTold) return exactly(costExpected(last.whole, this.#rates(last)));
    const input = last.inputTold ? last.whole.input : Math.ceil(this.question.bytes.length / 4);
    const cached = last.inputTold ? last.whole.cached : 0;
    const { output } = last.billed;
    const tokens = { input, cached, output, reasoning: 0 };
    // Bytes of an answer are counted with its quotes and escapes.
    const generous = { ...tokens, output: output * 2 + 40 };
    return { least: costExpected(tokens, this.#rates(last)), most: costExpected(generous, this.#rates(last)) };
  }

  #checkClasses({ usage }: RequestRecord, { whole }: Call): void {
    const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
    const output = usage.outputTokens + usage.reasoningTokens;
    if (input !== whole.input || output !== whole.output || usage.cacheReadTokens !== whole.cached) {
      this.#violated('S15', `has the usage ${JSON.stringify(usage)} for ${JSON.stringify(whole)}`);
    }
  }

  /** M2, L2: a successful stream says every word of the provider, whatever the cuts. */
  checkAnswer(): void {
    const last = this.calls.at(-1);
    const [row] = this.rows;
    if (row?.status !== 'success' || row.cacheHit || last === undefined || this.hasLeft) return;
    const body = this.reply?.body;
    const text = body instanceof Uint8Array ? Buffer.from(body).toString() : Buffer.concat(this.#received).toString();
    if (text.includes('\ufffd')) this.#violated('M2', 'got a broken character');
    const words = this.question.isStream ? wordsOfStream(text) : wordsOf(text);
    if (words !== last.text) this.#violated('M2', `got ${words} instead of ${last.text}`);
  }

  #priced(call: Call): Nanodollars {
    return costExpected(call.billed, this.#rates(call));
  }

  #rates(call: Call) {
    return this.question.prices.rates.get(call.deploymentId);
  }

  #told(): string {
    const calls = this.calls.map(({ deploymentId, behaviour, whole, billed, next, pieces }) => {
      return { deploymentId, behaviour, whole, billed, pieces: `${next} of ${pieces.length}` };
    });
    const [{ status, usage, attempts }] = this.rows as [RequestRecord];
    return JSON.stringify({
      stream: this.question.isStream,
      received: this.#receivedBytes,
      status,
      usage,
      attempts,
      calls,
    });
  }

  #violated(what: string, how: string): never {
    throw new Violation(`${what}: ${this.question.name} ${how}`);
  }
}

function wordsOf(text: string): string {
  const answer = JSON.parse(text) as {
    choices?: [{ message: { content: string | null } }];
    content?: { text: string }[];
  };
  if (answer.choices !== undefined) return answer.choices[0].message.content ?? '';
  return (answer.content ?? []).map((block) => block.text).join('');
}

function wordsOfStream(text: string): string {
  let words = '';
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const event = JSON.parse(line.slice(6)) as {
      choices?: { delta: { content?: string | null } }[];
      delta?: { text?: string };
    };
    words += event.choices?.[0]?.delta.content ?? event.delta?.text ?? '';
  }
  return words;
}

function exactly(cost: Nanodollars): { readonly least: Nanodollars; readonly most: Nanodollars } {
  return { least: cost, most: cost };
}
