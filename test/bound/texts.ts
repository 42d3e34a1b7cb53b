import type { SeededChance } from '../simulation/seeded-chance.ts';

/** Writing of all kinds, and what tokenizers find hard: characters that grow when normalised, joined, or cut. */
const samples: readonly string[] = [
  'The quick brown fox jumps over the lazy dog, twice. ',
  'for (const x of list) { total += x.price * 1.07; }\n\t// done\r\n',
  'Größe, façade, naïveté – „Anführung“ … ½ ﬁ ﬂ № ™ ',
  'Съешь же ещё этих мягких французских булок. ',
  'النص العربي مع ﷺ و ﷽ و ﷲ ولا شيء آخر ',
  'עברית עם ניקוד שָׁלוֹם ',
  'हिन्दी में कुछ पाठ और क्ष्म्य ',
  'ภาษาไทยไม่มีช่องว่าง ',
  '漢字仮名交じり文と㍿㌖㍍㍻、全角ＡＢＣ１２３。',
  '한국어 문장과 옛한글 ᄒᆞᆫ글 ',
  '👩‍👩‍👧‍👦🦊🏳️‍🌈👍🏽 ',
  'Z̷̢̛͉a̸͔͊l̶̙͝g̵͇̈o̷̩͋ ',
  '\u0344\u0345\u1fee\u2a74\u33a7\u33ae\ufb2c\ufdfa\ufdfb',
  '\u{1d15e}\u{1d160}\u{1d7d8}\u{2f800}\u{e0041}',
  '"quoted" \\back\\slash\\ /slash/ \u0000\u0001\u001f\u007f\u0085\u2028',
  '\ud83d lone \udc00 halves ',
  '1234567890 3.14159265358979 -1e-300 0x1F600 ',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '         \n\n\n\n\t\t\t\t        ',
  '<|endoftext|><|im_start|>system<|im_end|>[INST]</s>',
];

export function anyText(chance: SeededChance, piecesMax = 6): string {
  let text = '';
  for (let count = chance.between(0, piecesMax); count > 0; count--) {
    const sample = chance.pick(samples);
    const kind = chance.between(0, 3);
    if (kind === 0) text += sample;
    else if (kind === 1) text += sample.slice(chance.between(0, sample.length));
    else if (kind === 2) text += [...sample][chance.between(0, [...sample].length - 1)]!.repeat(chance.between(1, 30));
    else text += String.fromCodePoint(anyCodePoint(chance));
  }
  return text;
}

function anyCodePoint(chance: SeededChance): number {
  return chance.pick([chance.between(0, 0x7f), chance.between(0x80, 0xffff), chance.between(0x1_0000, 0x10_ffff)]);
}

/** The same JSON as clients write it: plain, with everything escaped, or with room to breathe. */
export function anyJson(chance: SeededChance, value: unknown): Buffer {
  const kind = chance.between(0, 3);
  if (kind === 0) return Buffer.from(JSON.stringify(value, null, 2));
  const text = JSON.stringify(value);
  if (kind !== 1) return Buffer.from(text);
  return Buffer.from(
    text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
