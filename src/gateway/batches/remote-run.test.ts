import { expect, test } from 'vitest';
import { GatewayError } from '../../core/errors.ts';
import { watchRemote } from './remote-run.ts';

/** How long it waits before each look, of a batch that is over at the sixth. */
async function waits(batchLooksMs: number | null): Promise<number[]> {
  const paused: number[] = [];
  const gateway = { clock: { now: () => 0 }, log: {}, snapshot: () => ({ settings: { batchLooksMs } }) };
  const look = async () => ({ completed: 0, failed: 0, isOver: paused.length === 6, refusal: null });
  const watch = {
    batch: { expiresAt: 1 },
    open: { desk: { look }, ask: null },
    id: 'batch_1',
    pause: async (delayMs: number) => void paused.push(delayMs),
    leaves: () => false,
    isUnwanted: () => false,
  };
  expect(await watchRemote(gateway as never, watch as never)).toMatchObject({ kind: 'over' });
  return paused;
}

test('a batch at its provider is looked at ever less often, or as often as the operator says', async () => {
  expect(await waits(null)).toEqual([1_000, 1_500, 2_250, 3_375, 5_062.5, 7_593.75]);
  expect(await waits(30_000)).toEqual(Array(6).fill(30_000));
});

test('a batch that its provider says is not there is given up after 60 looks in a row', async () => {
  let looks = 0;
  const gone = new GatewayError('upstream_error', 'no such batch', { status: 404 });
  const gateway = {
    clock: { now: () => 0 },
    log: { warn: () => undefined },
    snapshot: () => ({ settings: { batchLooksMs: 1 } }),
  };
  const watch = {
    batch: { expiresAt: 1 },
    open: {
      desk: {
        look: async () => {
          looks += 1;
          if (looks === 60) return { completed: 0, failed: 0, isOver: false, refusal: null };
          throw gone;
        },
      },
    },
    id: 'batch_1',
    pause: async () => undefined,
    leaves: () => false,
    isUnwanted: () => false,
  };
  expect(await watchRemote(gateway as never, watch as never)).toEqual({ kind: 'lost', reason: 'no such batch' });
  expect(looks).toBe(120);
});
