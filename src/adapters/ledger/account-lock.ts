/**
 * One store call at a time may change the lease of an account; who wants the next one waits in line. Requests that are
 * waiting also stop newcomers from taking the slice in front of them.
 */
export class AccountLock {
  #taken = false;
  #line: (() => void)[] = [];
  /** Requests that hold or await the lock. */
  waiting = 0;

  get free(): boolean {
    return !this.#taken;
  }

  tryTake(): boolean {
    if (this.#taken) return false;
    this.#taken = true;
    return true;
  }

  take(): undefined | Promise<void> {
    if (this.tryTake()) return undefined;
    return new Promise((resolve) => this.#line.push(resolve));
  }

  /** Hands the lock to the next in line. */
  release(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}

/** Takes several locks; the caller gives them in the one order that everybody uses, so that no two wait for each other. */
export async function takeAll(locks: readonly AccountLock[]): Promise<void> {
  for (const lock of locks) {
    const wait = lock.take();
    if (wait !== undefined) await wait;
  }
}

export function releaseAll(locks: readonly AccountLock[]): void {
  for (const lock of locks) lock.release();
}
