/** Of several deadlines the one that comes first, with what to say when it passes. Kept and refilled: no allocation. */
export class NearestDeadline {
  /** Monotonic milliseconds. */
  at = Number.POSITIVE_INFINITY;
  /** What had not happened by then. */
  missed = '';
  /** How long was waited for it, in milliseconds. */
  afterMs = 0;

  clear(): void {
    this.at = Number.POSITIVE_INFINITY;
  }

  consider(at: number, missed: string, afterMs: number): void {
    if (at >= this.at) return;
    this.at = at;
    this.missed = missed;
    this.afterMs = afterMs;
  }
}
