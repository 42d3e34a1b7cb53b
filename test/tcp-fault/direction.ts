import type { Socket } from 'node:net';

interface Piece {
  readonly dueTick: number;
  /** null is the end of the stream. */
  readonly bytes: Buffer | null;
}

/** One way of a connection: bytes in order, held back or let through. */
export class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #pieces: Piece[] = [];
  #timer: NodeJS.Timeout | null = null;
  #delayMs = 0;
  #isHeld = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take(null));
    to.on('drain', () => {
      if (!this.#isHeld) from.resume();
    });
  }

  /** Applies to what is already under way as well. */
  set(delayMs: number, isHeld: boolean): void {
    this.#delayMs = delayMs;
    this.#isHeld = isHeld;
    if (isHeld) this.#from.pause();
    else {
      this.#from.resume();
      this.#flush();
    }
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #take(bytes: Buffer | null): void {
    this.#pieces.push({ dueTick: performance.now() + this.#delayMs, bytes });
    this.#flush();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isHeld) return;
    for (;;) {
      const first = this.#pieces[0];
      if (first === undefined) return;
      // A shorter delay than the one a piece came under counts for it too.
      const waitMs = Math.min(first.dueTick - performance.now(), this.#delayMs);
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), Math.ceil(waitMs));
        return;
      }
      this.#pieces.shift();
      if (this.#to.destroyed) continue;
      if (first.bytes === null) this.#to.end();
      else if (!this.#to.write(first.bytes)) this.#from.pause();
    }
  }
}
