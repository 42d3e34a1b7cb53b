import type { Script } from '../../fake-provider/index.ts';
import { commentHeartbeat } from '../../fake-provider/script.ts';
import { fakeIn, gatewayIn, model } from '../gateway.ts';
import { inPlace, type WireRow } from '../row.ts';

const idleSeconds = 2;
const heartbeatSeconds = 0.5;

const stalls: readonly (readonly [name: string, script: Script])[] = [
  ['before the headers', { stall: { at: 'before-headers' } }],
  ['before the first event', { stall: { at: { event: 0 } } }],
  ['in the middle', { stall: { at: { event: 6 } } }],
  ['in the middle, with comments', { stall: { at: { event: 6 }, heartbeatEveryMs: 100, heartbeat: commentHeartbeat } }],
  [
    'before the first event, with comments',
    { stall: { at: { event: 0 }, heartbeatEveryMs: 100, heartbeat: commentHeartbeat } },
  ],
];

/** Promise 31: a provider that falls silent is given up in time, comments or not, and a waiting caller hears a sign of life. */
export const stallsRow: WireRow = {
  row: 31,
  kind: 'wire',
  promise: 'Stalls end, silence is bridged',
  target:
    'ended at the deadline within 1 s, comments or not; our own sign of life as often as configured within 1 s; money settled',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place);
      const config = `model_list:
${model('m', fake.port)}
router_settings: {num_retries: 0, disable_cooldowns: true}
general_settings: {heartbeat_seconds: ${heartbeatSeconds}, timeouts: {idle_seconds: ${idleSeconds}, first_byte_seconds: ${idleSeconds}}}
`;
      const gateway = await gatewayIn(place, { config });
      const rounds = size === 'short' ? 1 : 20;
      let late = 0;
      let beats = 0;
      let expectedBeats = 0;
      let worstMs = 0;
      for (let round = 0; round < rounds; round++) {
        for (const [name, script] of stalls) {
          fake.enqueue(script);
          const startedAt = performance.now();
          const body = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
          const answer = await gateway.post('/v1/chat/completions', body);
          const text = await answer.text();
          const tookMs = performance.now() - startedAt;
          const offMs = Math.abs(tookMs - idleSeconds * 1_000);
          worstMs = Math.max(worstMs, offMs);
          // Beside other tests a second of the machine's own may come on top.
          if (offMs > (size === 'short' ? 2_000 : 1_000)) {
            late += 1;
            broken.push(`a stall ${name} ended after ${Math.round(tookMs)} ms`);
          }
          if (!text.includes('"error"') || text.includes('[DONE]\n\n') === text.includes('finish_reason":"stop"')) {
            if (text.includes('finish_reason":"stop"') || !text.includes('error'))
              broken.push(`a stall ${name} looks finished`);
          }
          if (name.startsWith('in the middle')) {
            beats += text.split('\n').filter((line) => line.startsWith(':')).length;
            expectedBeats += Math.floor(idleSeconds / heartbeatSeconds) - 1;
          }
        }
      }
      if (beats < expectedBeats) broken.push(`${beats} signs of life where at least ${expectedBeats} were due`);
      return {
        figures: {
          stalls: stalls.length * rounds,
          'ended too early or too late': late,
          'farthest from the deadline (ms)': Math.round(worstMs),
          'signs of life': `${beats} (at least ${expectedBeats})`,
        },
        broken,
      };
    }),
};
