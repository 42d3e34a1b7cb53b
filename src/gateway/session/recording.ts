/** 16-bit samples at 24 kHz, where nobody says anything else. */
const bytesPerSecondUsual = 48_000;

/**
 * How much was said in a session, in milliseconds of sound: all that was sent, and what of it nobody has taken for
 * transcribing yet. Where that begins is known from the provider alone; until it says so, it is taken to be longer.
 */
export class Recording {
  bytesPerSecond = bytesPerSecondUsual;
  sentMs = 0;
  #openFromMs = 0;
  /** Where the caller said that a thing said ends, or that it is dropped. */
  readonly #ends: number[] = [];
  readonly #drops: number[] = [];
  /** Where the provider heard the end of an item. */
  readonly #heardEnds = new Map<string, number>();

  /** The end of what was sent, once these bytes are. */
  after(bytes: number): number {
    return this.sentMs + (bytes * 1_000) / this.bytesPerSecond;
  }

  sent(untilMs: number): void {
    this.sentMs = untilMs;
  }

  /** Said, up to here, and neither taken nor ended by the caller. */
  openMs(untilMs = this.sentMs): number {
    return untilMs - Math.max(this.#openFromMs, this.#ends.at(-1) ?? 0);
  }

  ends(): void {
    this.#ends.push(this.sentMs);
  }

  drops(): void {
    this.#drops.push(this.sentMs);
  }

  /** What was before it was silence. */
  speechBegan(atMs: number): void {
    this.#openFromMs = this.#within(atMs);
  }

  speechEnded(item: string, atMs: number): void {
    this.#heardEnds.clear();
    this.#heardEnds.set(item, atMs);
  }

  /** Whether the provider heard by itself where it ends. */
  hasHeardEnd(item: string): boolean {
    return this.#heardEnds.has(item);
  }

  /** How long it is. */
  take(item: string): number {
    const heardEnd = this.#heardEnds.get(item);
    const end = this.#within(heardEnd ?? this.#ends.shift() ?? this.sentMs);
    const audioMs = end - this.#openFromMs;
    this.#openFromMs = end;
    return audioMs;
  }

  dropped(): void {
    this.#openFromMs = this.#within(this.#drops.shift() ?? this.#openFromMs);
  }

  nothingTaken(): void {
    this.#ends.shift();
  }

  #within(atMs: number): number {
    return Math.min(this.sentMs, Math.max(this.#openFromMs, atMs));
  }
}
