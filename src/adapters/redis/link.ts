import type { Clock, Log, Timer } from '../../core/ports.ts';
import type { RedisSettings } from '../../core/redis-settings.ts';
import { Breaker } from './breaker.ts';
import { connectRedis, type RedisClient } from './connect.ts';
import { Hesitation } from './hesitation.ts';

/** In place of an answer: Redis is not there, too slow, or said no. The caller goes on without it. */
export const unavailable = Symbol('redis unavailable');
export type Unavailable = typeof unavailable;

/** Timers fire up to 10 ms late, and a call must not take more than 100 ms. */
const callBudgetMs = 80;
/** A timer that is later than this was held up by the process itself, which is not Redis being slow. */
const stallMs = 20;
const stallMsMax = 1_000;
const rereadMs = 16;
/** Who needs the very answer waits so much longer for a late one, unless Redis is given up meanwhile. */
export const lateMs = 900;
/** A connection that answers nothing for so long is thrown away: after a partition TCP itself may be silent for minutes. */
const silenceMaxMs = 3_000;
const logEveryMs = 10_000;
/** How long upkeep waits for a Redis that is away: it may be back in a moment. */
const returnPatienceMs = 1_000;

/**
 * The way to Redis for everybody who can do without: no call takes longer than its budget, and while Redis is slow or
 * gone no call is made at all.
 */
export class RedisLink {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #breaker: Breaker;
  readonly #hesitation: Hesitation;
  readonly #onUp: (() => void)[] = [];
  readonly #onDown: (() => void)[] = [];
  readonly #callBudgetMs: number;
  /** Told of every call that ended, or took too long. */
  readonly #onCall: (milliseconds: number, isAnswered: boolean) => void;
  readonly #waiting = new Set<() => void>();
  /** Ends the waiting for answers that are late, and of calls that are held back. */
  readonly #late = new Set<() => void>();
  #lastAnswerTick: number;
  #lastLogTick = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #hasBeenUp = false;

  constructor(
    settings: RedisSettings,
    clock: Clock,
    log: Log,
    budgetMs: number = callBudgetMs,
    onCall: (milliseconds: number, isAnswered: boolean) => void = () => {},
  ) {
    this.#onCall = onCall;
    this.#callBudgetMs = budgetMs;
    this.prefix = settings.prefix;
    this.#clock = clock;
    this.#log = log;
    this.#lastAnswerTick = clock.tick();
    this.#hesitation = new Hesitation(clock);
    this.#breaker = new Breaker({
      clock,
      probe: () => this.#probe(),
      onOpen: () => this.#lost(),
      onClose: () => this.#recovered(),
    });
    this.client = connectRedis(settings);
    this.client.on('error', (error: Error) => {
      this.#tell('Redis connection failed', error);
      for (const done of this.#waiting) done();
    });
    this.client.on('close', () => this.#breaker.open());
    this.client.on('ready', () => {
      this.#lastAnswerTick = clock.tick();
      this.#breaker.probeNow();
    });
    // Closed until the first connection stands.
    this.#breaker.open();
  }

  /** Whether calls are made now. */
  get isUp(): boolean {
    return !this.#breaker.isOpen && this.client.status === 'ready';
  }

  /** Called every time that Redis has come back. */
  onUp(listener: () => void): void {
    this.#onUp.push(listener);
  }

  /** Called every time that calls stop being made. */
  onDown(listener: () => void): void {
    this.#onDown.push(listener);
  }

  /**
   * Never rejects. `onLate` gets the answer of a call that was given up, so that what it did can be undone. With `patienceMs` a
   * late answer is waited for; the breaker counts it as a failure all the same, and opens when it does not come at all.
   */
  call<Answer>(
    send: (client: RedisClient) => Promise<Answer>,
    onLate?: (answer: Answer) => void,
    patienceMs = 0,
  ): Promise<Answer | Unavailable> {
    if (!this.isUp) return Promise.resolve(unavailable);
    return this.#limited(send, onLate, patienceMs, this.#hesitation.isOn);
  }

  /** Resolves when Redis is usable, when it is known not to be there, or when `patienceMs` have passed. */
  whenUp(patienceMs: number): Promise<void> {
    if (this.isUp) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const timer = this.#clock.setTimer(patienceMs, done);
      this.#waiting.add(done);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#breaker.stop();
    this.client.disconnect();
  }

  /** For upkeep, where being slow is not being broken: waits longer, also for Redis to come back, and tells the breaker nothing. */
  async callPatiently<Answer>(
    send: (client: RedisClient) => Promise<Answer>,
    patienceMs: number,
  ): Promise<Answer | Unavailable> {
    await this.whenUp(Math.min(patienceMs, returnPatienceMs));
    if (!this.isUp) return unavailable;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(patienceMs, () => resolve(unavailable));
      sent(send, this.client).then(
        (answer) => {
          timer.cancel();
          resolve(answer);
        },
        (cause: unknown) => {
          timer.cancel();
          this.#tell('Redis call failed', cause as Error);
          resolve(unavailable);
        },
      );
    });
  }

  #limited<Answer>(
    send: (client: RedisClient) => Promise<Answer>,
    onLate: ((answer: Answer) => void) | undefined,
    patienceMs = 0,
    isHeld = false,
  ): Promise<Answer | Unavailable> {
    return new Promise((resolve) => {
      const startedTick = this.#clock.tick();
      let isOver = false;
      let isLate = false;
      let isSent = false;
      let timer: Timer;
      const giveUp = () => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        this.#late.delete(giveUp);
        resolve(unavailable);
      };
      const wait = (forMs: number) => {
        const dueTick = this.#clock.tick() + forMs;
        timer = this.#clock.setTimer(forMs, () => {
          const tick = this.#clock.tick();
          // When this process itself stood still, the answer may lie there unread: one more turn to read it.
          if (tick - dueTick > stallMs && tick - startedTick < stallMsMax) {
            wait(rereadMs);
            return;
          }
          if (isSent) this.#onCall(tick - startedTick, false);
          if (patienceMs > 0) {
            isLate = true;
            this.#late.add(giveUp);
            timer = this.#clock.setTimer(patienceMs, () => {
              this.#breaker.open();
              giveUp();
            });
            // Whoever opens it ends the waiting, this call's included; it may be open since this call was made.
            this.#breaker.failed();
            if (this.#breaker.isOpen) giveUp();
            return;
          }
          this.#breaker.failed();
          giveUp();
        });
      };
      wait(this.#callBudgetMs);
      const begin = () => {
        if (isOver) return;
        isSent = true;
        const asked = this.#hesitation.asked();
        sent(send, this.client).then(
          (answer) => {
            this.#lastAnswerTick = this.#clock.tick();
            this.#hesitation.answered(asked);
            if (isOver) {
              onLate?.(answer);
              return;
            }
            isOver = true;
            timer.cancel();
            this.#late.delete(giveUp);
            if (!isLate) {
              this.#onCall(this.#lastAnswerTick - startedTick, true);
              this.#breaker.succeeded();
            }
            resolve(answer);
          },
          (cause: unknown) => {
            if (isAnswer(cause)) this.#hesitation.answered(asked);
            else this.#hesitation.ended(asked);
            if (isOver) return;
            isOver = true;
            timer.cancel();
            this.#late.delete(giveUp);
            if (!isLate) this.#onCall(this.#clock.tick() - startedTick, false);
            if (!isLate && !isAboutTheKey(cause)) this.#breaker.failed();
            this.#tell('Redis call failed', cause as Error);
            resolve(unavailable);
          },
        );
      };
      if (isHeld) {
        this.#late.add(giveUp);
        this.#hesitation.hold(begin);
      } else begin();
    });
  }

  async #probe(): Promise<boolean> {
    const { status } = this.client;
    if (status !== 'ready') {
      // A cluster that found no node gives up in the end; it must not.
      if (status === 'end' && !this.#isClosed) void this.client.connect().catch(() => {});
      // Connected, but the greeting is not answered.
      else if (status !== 'reconnecting') this.#leaveSilence();
      return false;
    }
    const answer = await this.#limited((client) => client.ping(), undefined);
    if (answer === unavailable) this.#leaveSilence();
    return answer !== unavailable;
  }

  #leaveSilence(): void {
    if (this.#clock.tick() - this.#lastAnswerTick < silenceMaxMs || this.#isClosed) return;
    this.#lastAnswerTick = this.#clock.tick();
    this.client.disconnect(true);
  }

  #lost(): void {
    this.#hesitation.forget();
    // Before the first connection stands there is nothing to be lost, and why it does not is told by its error.
    if (this.#hasBeenUp)
      this.#tell('Redis is not usable: limits fall to the share of this replica, cached answers rest');
    for (const listener of this.#onDown) listener();
    for (const giveUp of [...this.#late]) giveUp();
  }

  #recovered(): void {
    this.#hesitation.forget();
    this.#hasBeenUp = true;
    this.#log.info('Redis is usable');
    this.#lastLogTick = Number.NEGATIVE_INFINITY;
    for (const listener of this.#onUp) listener();
    for (const done of this.#waiting) done();
  }

  #tell(message: string, cause?: Error): void {
    if (this.#isClosed) return;
    const tick = this.#clock.tick();
    if (tick - this.#lastLogTick < logEveryMs) return;
    this.#lastLogTick = tick;
    this.#log.warn(message, cause === undefined ? {} : { reason: cause.message });
  }
}

/** A client that cannot send may throw instead of rejecting. */
async function sent<Answer>(send: (client: RedisClient) => Promise<Answer>, client: RedisClient): Promise<Answer> {
  return send(client);
}

/** Said by the server, not by the client about the connection. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'ReplyError';
}

/** One key holds something strange: that says nothing about the connection. */
function isAboutTheKey(cause: unknown): boolean {
  return cause instanceof Error && (cause.message.startsWith('WRONGTYPE') || cause.message.includes('user_script'));
}
