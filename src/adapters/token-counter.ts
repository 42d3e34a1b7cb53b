import type { Worker } from 'node:worker_threads';
import { smallThread } from './small-thread.ts';

export interface CountedTokens {
  readonly tokens: number;
  /** False when the count is an estimate from the length of the text. */
  readonly exact: boolean;
  readonly tokenizer: string;
}

/** A question to the worker, and its answer. */
export interface CountQuestion {
  readonly id: number;
  readonly text: string;
  readonly encoding: Encoding;
}
export interface CountAnswer {
  readonly id: number;
  readonly tokens: number;
}

export type Encoding = 'o200k_base' | 'cl100k_base';

export interface TokenCounterOptions {
  readonly deadlineMs: number;
  /** Longer texts are estimated at once: byte-pair merging of one long word takes quadratic time. */
  readonly charactersMax: number;
}

const loadDeadlineMs = 10_000;
const defaults: TokenCounterOptions = { deadlineMs: 500, charactersMax: 400_000 };

/**
 * Counts tokens with a real tokenizer in a thread of its own, started at the first question. A text that does not finish
 * within the deadline costs the thread its life and gets an estimate of a token per four bytes.
 */
export class TokenCounter {
  readonly #options: TokenCounterOptions;
  readonly #waiting = new Map<number, (tokens: number | null) => void>();
  #worker: Worker | undefined;
  /** Vocabularies that the worker has loaded or is loading: that takes longer than any count, and once. */
  readonly #loaded = new Map<Encoding, Promise<unknown>>();
  #nextId = 1;

  constructor(options: Partial<TokenCounterOptions> = {}) {
    this.#options = { ...defaults, ...options };
  }

  async count(text: string, model: string): Promise<CountedTokens> {
    const encoding = encodingOf(model);
    const tokens = text.length > this.#options.charactersMax ? null : await this.#ask(text, encoding);
    return tokens === null
      ? { tokens: Math.ceil(Buffer.byteLength(text) / 4), exact: false, tokenizer: 'estimate' }
      : { tokens, exact: true, tokenizer: encoding };
  }

  async close(): Promise<void> {
    await this.#stop();
  }

  /** Starts the clock of a question only when its vocabulary is there. */
  async #ask(text: string, encoding: Encoding): Promise<number | null> {
    this.#start();
    let loading = this.#loaded.get(encoding);
    if (loading === undefined) {
      loading = this.#send('', encoding, loadDeadlineMs);
      this.#loaded.set(encoding, loading);
    }
    await loading;
    return this.#send(text, encoding, this.#options.deadlineMs);
  }

  #send(text: string, encoding: Encoding, deadlineMs: number): Promise<number | null> {
    const id = this.#nextId++;
    const worker = this.#start();
    return new Promise((resolve) => {
      const timer = setTimeout(() => void this.#stop(), deadlineMs);
      timer.unref();
      this.#waiting.set(id, (tokens) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(tokens);
      });
      worker.postMessage({ id, text, encoding } satisfies CountQuestion);
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = smallThread(new URL(`./token-counter-thread.${extension}`, import.meta.url));
    worker.unref();
    worker.on('message', ({ id, tokens }: CountAnswer) => this.#waiting.get(id)?.(tokens));
    worker.on('error', () => void this.#stop());
    this.#worker = worker;
    return worker;
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#loaded.clear();
    for (const give of [...this.#waiting.values()]) give(null);
    await worker?.terminate();
  }
}

/** The newer OpenAI models share one vocabulary; everything else is counted with the older one, which is close. */
function encodingOf(model: string): Encoding {
  return /gpt-(4o|4\.1|4\.5|5)|(^|\/)o\d|chatgpt/.test(model) ? 'o200k_base' : 'cl100k_base';
}
