import { describe, expect, it } from 'vitest';
import type { BatchAnswer, BatchState } from '../../core/batch-desk.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway } from '../gateway.ts';
import type { OpenDesk } from './desk.ts';
import type { LostAnswer } from './settle-line.ts';
import { type ResultTaking, takeResults } from './take-results.ts';

/* Four requests: their bounds say which of them are the dearest. */
const bounds = [{ bound: 10 }, { bound: 40 }, { bound: 30, held: 20 }, { bound: 30 }].map((one) => ({
  ...one,
  model: 'm',
}));
const day = 24 * 3_600_000;

interface Told {
  readonly state: Partial<BatchState>;
  readonly answers?: readonly (readonly [index: number, status: number])[];
  /** What the results answer after those, the first times. */
  readonly faults?: readonly GatewayError[];
  readonly done?: readonly number[];
  /** Answers that are there at the second look only. */
  readonly later?: readonly (readonly [index: number, status: number])[];
}

/** What every request ended as, and how often was waited. */
async function taken({ state, answers = [], faults = [], done = [], later = [] }: Told) {
  const left = [...faults];
  const settled = new Map<number, string>();
  const seen = new Set(done);
  let now = 0;
  let waits = 0;
  let looks = 0;
  const open = {
    deployment: { provider: { name: 'Nova' } },
    desk: {
      async *results(_ask: unknown, { resultsAt }: BatchState): AsyncGenerator<BatchAnswer> {
        if (resultsAt.length === 0) return;
        for (const [index, status] of [...answers, ...(looks > 0 ? later : [])]) yield { index, status, body: {} };
        const fault = left.shift();
        if (fault !== undefined) throw fault;
      },
    },
  } as unknown as OpenDesk;
  const told = { isOver: true, refusal: null, completed: 0, failed: 0, resultsAt: ['file'], ...state };
  const taking: ResultTaking = {
    look: async () => {
      looks += 1;
      return told;
    },
    batch: { id: 'batch_1', expiresAt: day } as ResultTaking['batch'],
    open,
    bounds,
    done: seen,
    settle: async (answer: BatchAnswer | LostAnswer) => {
      expect(settled.has(answer.index)).toBe(false);
      seen.add(answer.index);
      settled.set(answer.index, 'lost' in answer ? (answer.isFree ? 'free' : 'charged') : String(answer.status));
      if ('lost' in answer) expect(answer.lost.message).toContain('Nova');
    },
    pause: async (delayMs) => {
      waits += 1;
      now += delayMs;
    },
    stops: () => false,
  };
  const gateway = {
    clock: { now: () => now },
    log: { warn: () => undefined, error: () => undefined },
    snapshot: () => ({ settings: { batchLooksMs: null }, secrets: [] }),
  } as unknown as Gateway;
  await takeResults(gateway, taking, told);
  return { ends: bounds.map((_, index) => settled.get(index) ?? 'left'), waits };
}

const gone = new GatewayError('upstream_error', 'Nova: no such file', { status: 404 });
const broken = new GatewayError('upstream_error', 'Nova: later', { status: 503 });

describe('the answers of a batch at its provider', () => {
  const whole = { isWhole: true, completed: 4 };
  it.each<[string, Told, readonly string[]]>([
    [
      'all there',
      {
        state: whole,
        answers: [
          [0, 200],
          [1, 200],
          [2, 200],
          [3, 200],
        ],
      },
      ['200', '200', '200', '200'],
    ],
    [
      'one missing: it',
      {
        state: whole,
        answers: [
          [0, 200],
          [2, 200],
          [3, 200],
        ],
      },
      ['200', 'charged', '200', '200'],
    ],
    [
      'one of three missing, the others never asked: the dearest',
      { state: { completed: 2 }, answers: [[0, 200]] },
      ['200', 'charged', 'left', 'left'],
    ],
    [
      'two missing: what was held counts, not what it would be today',
      { state: { completed: 2 } },
      ['left', 'charged', 'left', 'charged'],
    ],
    [
      'told twice, and counted once',
      {
        state: { completed: 3 },
        answers: [
          [0, 200],
          [0, 200],
          [3, 200],
        ],
      },
      ['200', 'charged', 'left', '200'],
    ],
    [
      'of requests never handed in, which are nobody’s',
      {
        state: { completed: 2 },
        answers: [
          [0, 200],
          [4, 200],
          [99, 200],
        ],
      },
      ['200', 'charged', 'left', 'left'],
    ],
    [
      'an error and an answer to the same request',
      {
        state: whole,
        answers: [
          [0, 500],
          [0, 200],
          [1, 200],
          [1, 500],
          [2, 200],
          [3, 200],
        ],
      },
      ['200', '200', '200', '200'],
    ],
    [
      'failures told, or only counted',
      {
        state: { isWhole: true, completed: 1, failed: 3 },
        answers: [
          [2, 200],
          [0, 400],
        ],
      },
      ['400', 'free', '200', 'free'],
    ],
    [
      'failures that are counted as answered',
      {
        state: { completed: 3 },
        answers: [
          [0, 200],
          [1, 400],
          [2, 200],
        ],
      },
      ['200', '400', '200', 'left'],
    ],
    [
      'without any count, though all was done',
      { state: { isWhole: true }, answers: [[1, 200]] },
      ['charged', '200', 'charged', 'charged'],
    ],
    ['in doubt', { state: { doubt: 'who knows' }, answers: [[3, 200]] }, ['charged', 'charged', 'charged', '200']],
    ['cancelled before most of it', { state: { completed: 1 }, answers: [[3, 200]] }, ['left', 'left', 'left', '200']],
    [
      'taken before a restart',
      {
        state: whole,
        answers: [
          [0, 200],
          [1, 200],
          [2, 200],
        ],
        done: [0, 1, 2],
      },
      ['left', 'left', 'left', 'charged'],
    ],
  ])('%s', async (_, told, ends) => {
    // What is counted and missing is looked for again.
    const waits = ends.includes('charged') && told.state.doubt === undefined ? 3 : 0;
    expect(await taken(told)).toEqual({ ends, waits });
  });

  it('that are written a little later are taken', async () => {
    const told = { state: { completed: 2 }, answers: [[0, 200]] as const, later: [[1, 200]] as const };
    expect(await taken(told)).toEqual({ ends: ['200', '200', 'left', 'left'], waits: 1 });
  });

  it('that are not there are asked for for an hour, and then charged as far as they are counted', async () => {
    const state = { completed: 2, failed: 2, isWhole: true };
    const faults = Array<GatewayError>(60).fill(gone);
    expect(await taken({ state, answers: [[1, 200]], faults })).toEqual({
      ends: ['free', '200', 'free', 'charged'],
      waits: 59,
    });
    expect((await taken({ state: {}, faults })).ends).toEqual(['charged', 'charged', 'charged', 'charged']);
  });

  it('that come after all are taken', async () => {
    const faults = [...Array<GatewayError>(59).fill(gone), broken, ...Array<GatewayError>(59).fill(gone)];
    const told = { state: { completed: 1 }, answers: [[2, 200]] as const, faults };
    expect(await taken(told)).toEqual({ ends: ['left', 'left', '200', 'left'], waits: 119 });
  });

  it('of a provider that is down are waited for until a day after its time', async () => {
    const { ends, waits } = await taken({ state: { completed: 3 }, faults: Array<GatewayError>(4_000).fill(broken) });
    expect(ends).toEqual(['left', 'charged', 'charged', 'charged']);
    expect(waits).toBe(2 * 24 * 60 + 1);
  });

  it('too large to be taken are not asked for again', async () => {
    const tooLarge = new GatewayError('upstream_answer_too_large', 'Nova: too large');
    expect(await taken({ state: { completed: 3 }, faults: [tooLarge] })).toEqual({
      ends: ['left', 'charged', 'charged', 'charged'],
      waits: 0,
    });
  });
});
