import { z } from 'zod';
import { type DebugWish, debugScope, debugSubjects, debugWord } from '../core/debug-wish.ts';
import type { Endpoint } from './contract.ts';
import { endpoint } from './contract.ts';
import type { ControlPlane } from './control-plane.ts';

const tag = 'debug';
const minutesDefault = 15;
const minutesMax = 24 * 60;

const wishes = z.object({
  watching: z.array(z.object({ by: z.enum(debugSubjects), value: z.string(), until: z.string() })),
});

/** Requests told in full in the log, on every process, without a restart. */
export function debugEndpoints(plane: ControlPlane): Endpoint[] {
  const shown = () => ({
    watching: plane.debug.list().map(({ by, value, until }) => ({ by, value, until: new Date(until).toISOString() })),
  });
  const tell = async (wish: DebugWish) => {
    const word = { scope: debugScope, id: debugWord(wish) };
    plane.debug.wish(wish);
    await plane.store.transaction((repositories) => repositories.changes.append([word]));
    plane.principals.invalidate(word);
  };
  return [
    endpoint('GET /debug/requests', {
      access: 'admin_read',
      tag,
      summary: 'Whose requests are told in full in the log now.',
      response: wishes,
      run: async () => shown(),
    }),
    endpoint('POST /debug/requests', {
      access: 'admin',
      tag,
      summary:
        'Tell requests of a key, team or model, or with a call id, in full in the log for some minutes; 0 ends it.',
      body: z.object({
        by: z.enum(debugSubjects),
        value: z.string().min(1).max(256),
        minutes: z.number().min(0).max(minutesMax).nullish(),
      }),
      response: wishes,
      async run({ body }) {
        const until = plane.clock.now() + (body.minutes ?? minutesDefault) * 60_000;
        await tell({ by: body.by, value: body.value, until: Math.round(until) });
        return shown();
      },
    }),
  ];
}
