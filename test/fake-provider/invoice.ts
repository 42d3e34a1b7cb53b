import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parseJson } from './json.ts';
import type { FakeUsage } from './script.ts';

/** What the provider would put on its bill for one dispatch: the oracle against which a gateway's books are held. */
export interface InvoiceEntry {
  /** Number of the dispatch at this provider, from 1. */
  readonly dispatch: number;
  /** The id in the answer's body (`chatcmpl-…`, `msg_…`). */
  readonly id: string;
  /** What the test wrote into its prompt as `[[ref:…]]`, to find its own requests again. */
  readonly reference?: string;
  readonly path: string;
  readonly model: string;
  readonly dispatchedAtMs: number;
  state: 'dispatched' | 'billed';
  /** How it ended: answered in full, refused with a status, given up by the caller, or broken off by the script. */
  outcome?: 'complete' | 'refused' | 'caller-left' | 'fault';
  status?: number;
  usage: FakeUsage;
}

export const nothingUsed: Readonly<FakeUsage> = Object.freeze({
  inputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
});

const referencePattern = /\[\[ref:([^\]"\\]+)\]\]/;

export function referenceIn(body: string): string | undefined {
  return referencePattern.exec(body)?.[1];
}

/**
 * Entries in memory and, where a file is named, as JSON lines: one when a request is dispatched and one when it is
 * billed, each written before anything else happens (so it survives the death of any process) and synced to the disk
 * within 50 ms.
 */
export class Invoice {
  readonly entries: InvoiceEntry[] = [];
  #file: number | undefined;
  #syncTimer: NodeJS.Timeout | undefined;

  constructor(path?: string) {
    if (path !== undefined) this.#file = openSync(path, 'a', 0o600);
  }

  dispatched(entry: Omit<InvoiceEntry, 'dispatch' | 'state' | 'usage'>): InvoiceEntry {
    const added: InvoiceEntry = {
      dispatch: this.entries.length + 1,
      ...entry,
      state: 'dispatched',
      usage: nothingUsed,
    };
    this.entries.push(added);
    this.#append(added);
    return added;
  }

  billed(entry: InvoiceEntry, outcome: NonNullable<InvoiceEntry['outcome']>, status: number, usage: FakeUsage): void {
    if (entry.state === 'billed') throw new Error(`dispatch ${entry.dispatch} is already billed`);
    entry.state = 'billed';
    entry.outcome = outcome;
    entry.status = status;
    entry.usage = usage;
    this.#append(entry);
  }

  close(): void {
    clearTimeout(this.#syncTimer);
    if (this.#file === undefined) return;
    fdatasyncSync(this.#file);
    closeSync(this.#file);
    this.#file = undefined;
  }

  #append(entry: InvoiceEntry): void {
    if (this.#file === undefined) return;
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      if (this.#file !== undefined) fdatasyncSync(this.#file);
    }, 50);
  }
}

/** The last state of each dispatch in an invoice file, in order of dispatch; a last line cut short is left out. */
export function readInvoice(path: string): InvoiceEntry[] {
  const byId = new Map<string, InvoiceEntry>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const entry = parseJson(line) as InvoiceEntry | undefined;
    if (entry !== undefined) byId.set(entry.id, entry);
  }
  return [...byId.values()];
}
