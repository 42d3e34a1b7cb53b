/** Makes bodies that nobody sane sends: a valid request, bent at random places, or bytes that are none. Seeded. */
export function hostileBody(random: () => number, valid: object): Buffer {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const roll = random();
  if (roll < 0.1)
    return Buffer.from(Array.from({ length: Math.floor(random() * 400) }, () => Math.floor(random() * 256)));
  if (roll < 0.2) return Buffer.from(pick(wholes)());
  const text = JSON.stringify(bent(structuredClone(valid), random, pick));
  if (roll < 0.35) return Buffer.from(damaged(text, random, pick));
  return Buffer.from(text);
}

const long = 'x'.repeat(100_000);

/** Values in the place of any other. */
const values: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER + 1,
  () => 0.1,
  () => '',
  () => long,
  () => '\u0000\ud800\uffff',
  () => '日本語'.repeat(1_000),
  () => [],
  () => {
    return {};
  },
  () => [[[[[[]]]]]],
  () => ({ type: 'text', text: 'x' }),
  () => ({ type: 'unknown_block', x: 1 }),
  () => ({ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }),
  () => ({ type: 'tool_use', id: '', name: '', input: null }),
  () => ({ type: 'function', function: null }),
  () => Array.from({ length: 2_000 }, () => ({ role: 'user', content: 'x' })),
  () => nested(600),
  () => JSON.parse('{"__proto__": {"stream": true}, "constructor": {"prototype": 1}}'),
  () => 'data:image/png;base64,%%%',
  () => '$ref',
];

const names = [
  'stream',
  'n',
  'tools',
  'max_tokens',
  'stop',
  'user',
  'metadata',
  'messages',
  'input',
  'model',
  'system',
  'thinking',
  'contents',
];

const wholes: readonly (() => string)[] = [
  () => '',
  () => 'null',
  () => '[]',
  () => '"text"',
  () => '{',
  () => '{"model":"m","model":"other","messages":[]}',
  () => '{"__proto__":{"model":"m"},"messages":[{"role":"user","content":"x"}]}',
  () => '['.repeat(10_000),
  () => `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  () => `{"model":"m","messages":[{"role":"user","content":"${'a'.repeat(200_000)}"}]}`,
  () => `{"model":"m","messages":[{"role":"user","content":"${'漢'.repeat(100_000)}"}]}`,
  () => '{"model":"m","max_tokens":1e999,"messages":[{"role":"user","content":"x"}]}',
  () => '{"model":"m","max_tokens":123456789012345678901234567890,"messages":[]}',
  () => '\ufeff{"model":"m","messages":[{"role":"user","content":"x"}]}',
  () => '{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
];

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

type Pick = <Item>(items: readonly Item[]) => Item;

/** One to three places of a value hold something else. */
function bent(root: object, random: () => number, pick: Pick): object {
  const times = 1 + Math.floor(random() * 3);
  for (let time = 0; time < times; time++) {
    let place: Record<string, unknown> = root as Record<string, unknown>;
    for (let depth = 0; depth < 6; depth++) {
      const keys = Object.keys(place);
      const key = random() < 0.15 || keys.length === 0 ? pick(names) : pick(keys);
      const inner = Object.hasOwn(place, key) ? place[key] : undefined;
      if (typeof inner === 'object' && inner !== null && random() < 0.7) {
        place = inner as Record<string, unknown>;
        continue;
      }
      if (random() < 0.15) delete place[key];
      else place[key] = pick(values)();
      break;
    }
  }
  return root;
}

function damaged(text: string, random: () => number, pick: Pick): string {
  const at = Math.floor(random() * text.length);
  return pick([
    () => text.slice(0, at),
    () => text.slice(0, at) + pick(['"', '\\', '}', '{', ',', '\u0000', '\n', '1e', 'NaN']) + text.slice(at),
    () => text + text,
    () => text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 10)),
  ])();
}
