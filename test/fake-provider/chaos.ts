import type { Moment, Script } from './script.ts';
import { contextWindowExceeded, emptyBody, garbageJson, htmlErrorPage, rateLimited, serverError } from './scripts.ts';

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A script that follows from the random numbers alone: about half well-behaved, half each kind of fault in turn. */
export function randomScript(random: () => number): Script {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const event = (): Moment => ({ event: Math.floor(random() * 12) });
  const byte = (): Moment => ({ byte: Math.floor(random() * 600) });
  const pace: Script = {
    ...(random() < 0.3 ? { delayBeforeHeadersMs: Math.floor(random() * 20) } : {}),
    ...(random() < 0.2 ? { delayBetweenEventsMs: Math.floor(random() * 3) } : {}),
    ...(random() < 0.3 ? { cuts: pick([1, 2, 3, 7, 64]) } : {}),
    ...(random() < 0.2 ? { gzip: true } : {}),
    ...(random() < 0.3 ? { sse: pick(sseStyles) } : {}),
    ...(random() < 0.3 ? { text: pick(texts) } : {}),
    ...(random() < 0.2 ? { reasoning: 'First the question, then the answer.' } : {}),
    ...(random() < 0.2 ? { toolCalls: [{ name: 'look_up', arguments: { word: 'été 😀' } }] } : {}),
  };
  if (random() < 0.5) return pace;
  const fault = pick<() => Script>([
    () => ({ reset: 'before-headers' }),
    () => ({ fin: 'before-headers' }),
    () => ({ reset: event() }),
    () => ({ reset: byte() }),
    () => ({ fin: event() }),
    () => ({ fin: byte() }),
    () => ({ errorAtEvent: Math.floor(random() * 8) }),
    () => ({ omitDone: true }),
    () => ({ omitFinishReason: true, omitDone: random() < 0.5 }),
    () => ({ usage: 'none' }),
    () => ({ usage: 'every-event' }),
    () => rateLimited(random() < 0.5 ? undefined : 1),
    () => serverError(pick([500, 502, 503, 529])),
    () => htmlErrorPage(pick([200, 502])),
    () => garbageJson(),
    () => emptyBody(),
    () => contextWindowExceeded(),
  ])();
  return { ...pace, ...fault };
}

const sseStyles = [
  { lineEnding: '\r\n' },
  { lineEnding: '\r' },
  { noSpaceAfterColon: true },
  { byteOrderMark: true },
  { comments: true },
  { multilineData: true },
  { unterminatedLastEvent: true },
] as const;

const texts = [
  'ok',
  '春の海 終日のたり のたりかな',
  'naïve café 👩‍👩‍👧‍👦 🇨🇭',
  'a\nb\r\nc\u2028d',
  '"quoted" \\ and \u0000',
];
