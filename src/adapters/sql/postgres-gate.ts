import type { StoreError } from '../../core/store.ts';

/** A server that is well takes a new connection in this time, also on a busy machine. */
const probeMs = 1_000;
const probeDelaysMs = [100, 250, 500, 1_000] as const;

/**
 * Remembers that a server cannot be reached, so that callers are refused at once, and tries again in the background
 * until it can: never longer than a second after it is back, and for ever.
 */
export class PostgresGate {
  readonly #probe: () => Promise<unknown>;
  #fault: StoreError | null = null;
  #timer: NodeJS.Timeout | undefined;
  readonly #onShut: ((fault: StoreError) => void)[] = [];
  #isSuspected = false;
  #tries = 0;
  #aliveAt = performance.now();
  #closed = false;

  /** `probe` connects and leaves again, or throws. */
  constructor(probe: () => Promise<unknown>) {
    this.#probe = probe;
  }

  /** Why nobody can get in; null while the server is there, as far as is known. */
  get fault(): StoreError | null {
    return this.#fault;
  }

  /** The server answered. */
  alive(): void {
    this.#aliveAt = performance.now();
  }

  silentForMs(): number {
    return performance.now() - this.#aliveAt;
  }

  /** Called each time that the server is found to be gone. */
  onShut(listener: (fault: StoreError) => void): void {
    this.#onShut.push(listener);
  }

  /** It was asked and says nothing: is it thinking, or gone? A new connection tells. */
  suspect(fault: StoreError): void {
    if (this.#isSuspected || this.#fault !== null || this.#closed) return;
    this.#isSuspected = true;
    const answered = Promise.race([
      this.#probe().then(
        () => true,
        () => false,
      ),
      new Promise<false>((resolve) => setTimeout(resolve, probeMs, false).unref()),
    ]);
    void answered.then((isThere) => {
      this.#isSuspected = false;
      if (isThere) this.alive();
      else if (this.silentForMs() >= probeMs) this.shut(fault);
    });
  }

  shut(fault: StoreError): void {
    if (this.#closed) return;
    const known = this.#fault !== null;
    this.#fault = fault;
    if (known) return;
    for (const listener of this.#onShut) listener(fault);
    this.#tries = 0;
    this.#later();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    const delayMs = probeDelaysMs[Math.min(this.#tries, probeDelaysMs.length - 1)]!;
    this.#tries += 1;
    this.#timer = setTimeout(() => void this.#try(), delayMs);
    this.#timer.unref();
  }

  async #try(): Promise<void> {
    try {
      await this.#probe();
      this.#fault = null;
      this.alive();
    } catch {
      if (!this.#closed) this.#later();
    }
  }
}
