/** Too many to remember; the oldest have ended by themselves. */
const leftOverMax = 20_000;

/** A place among the parallel requests of a limit: the name of the request there, and the key of the counter. */
export type Slot = readonly [member: string, key: string];

/** The parallel slots that this replica has taken in Redis, and what Redis has yet to hear of them. */
export class ParallelSlots {
  /** Of requests that are open here. */
  readonly #open = new Map<string, string>();
  /** Of these, those that were admitted without asking. */
  readonly #untold = new Map<string, string>();
  /** What Redis may still count although nobody has it: it was away when the slot became free. */
  readonly #leftOver = new Map<string, string>();

  get openCount(): number {
    return this.#open.size;
  }

  get open(): readonly Slot[] {
    return [...this.#open];
  }

  get untold(): readonly Slot[] {
    return [...this.#untold];
  }

  get leftOver(): readonly Slot[] {
    return [...this.#leftOver];
  }

  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  get hasLeftOver(): boolean {
    return this.#leftOver.size > 0;
  }

  isOpen([member]: Slot): boolean {
    return this.#open.has(member);
  }

  take(slots: Iterable<Slot>, isTold: boolean): void {
    for (const [member, key] of slots) {
      this.#open.set(member, key);
      if (!isTold) this.#untold.set(member, key);
    }
  }

  end(slots: Iterable<Slot>): void {
    for (const [member] of slots) {
      this.#open.delete(member);
      this.#untold.delete(member);
    }
  }

  /** Redis may not have heard that they ended. */
  leave(slots: Iterable<Slot>): void {
    for (const [member, key] of slots) {
      if (this.#leftOver.size >= leftOverMax) this.#leftOver.delete(this.#leftOver.keys().next().value!);
      this.#leftOver.set(member, key);
    }
  }

  told(slots: Iterable<Slot>): void {
    for (const [member] of slots) this.#untold.delete(member);
  }

  freed(slots: Iterable<Slot>): void {
    for (const [member] of slots) this.#leftOver.delete(member);
  }
}
