import { createHash } from 'node:crypto';

/** One streamed piece of an answer and the tokens a provider would bill for it. */
export interface Piece {
  readonly text: string;
  readonly tokens: number;
}

const sentences = [
  'A gateway keeps one address in front of many models.',
  'Each request is priced in whole units, so the books balance.',
  'When the first server is busy, the next one answers.',
  'The shortest path is usually the one that was measured.',
  'Short answers arrive sooner, long answers arrive in pieces.',
  'A limit that nobody can see is a limit that surprises.',
  'Every stream ends once, whatever happens on the way.',
  'The weather in the harbour is mild, with a light wind from the west.',
];

/** A number in [0, 2^32) that follows from the text alone. */
export function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE(0);
}

/** Plausible prose that follows from the prompt alone and carries a little of it, so that a mixed-up answer shows. */
export function plausibleText(prompt: string, choice = 0): string {
  const seed = hashOf(`${choice}:${prompt}`);
  const count = 2 + (seed % 3);
  const picked = Array.from({ length: count }, (_, index) => sentences[(seed + index * 3) % sentences.length]);
  const subject = Array.from(prompt.replaceAll(/\s+/g, ' ').trim()).slice(0, 60).join('');
  return `You asked: "${subject}" (${seed.toString(16)}). ${picked.join(' ')}`;
}

/** Words with the space before them, single marks, CJK characters and emoji: never half of a character. */
const wordPattern = /\s?[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}'_]{1,8}|\s?\P{Z}|\s+/gu;

/**
 * Cuts a text into pieces of about one token, or of a given length in characters (then a token is four bytes, rounded
 * up). The pieces joined are the text.
 */
export function piecesOf(text: string, charactersPerPiece?: number): Piece[] {
  const length = charactersPerPiece ?? (text.length > 65_536 ? 16_384 : undefined);
  if (length === undefined) return (text.match(wordPattern) ?? []).map((piece) => ({ text: piece, tokens: 1 }));
  const pieces: Piece[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + length);
    if (isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length) end += 1;
    const piece = text.slice(start, end);
    pieces.push({ text: piece, tokens: Math.ceil(Buffer.byteLength(piece) / 4) });
    start = end;
  }
  return pieces;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** The pieces over and over again: a model that lost its way. */
export function* endlessly(pieces: readonly Piece[]): Generator<Piece> {
  const cycle = pieces.length > 0 ? pieces : piecesOf(' and so on');
  while (true) yield* cycle;
}
