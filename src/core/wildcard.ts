/** `openai/*` → the literal pieces between the stars: `['openai/', '']`; remembered, as the same few patterns come again and again. */
export function patternPieces(pattern: string): readonly string[] {
  let pieces = remembered.get(pattern);
  if (pieces === undefined) {
    if (remembered.size >= rememberedMax) remembered.clear();
    pieces = pattern.split('*');
    remembered.set(pattern, pieces);
  }
  return pieces;
}

const remembered = new Map<string, readonly string[]>();
const rememberedMax = 10_000;

/** Does a model name, path or pattern entry with `*` match the whole of a text? Linear; stars take as little as possible. */
export function patternMatches(pattern: string, text: string): boolean {
  return pattern === text || (pattern.includes('*') && wildcardMatches(patternPieces(pattern), text) !== null);
}

/** What each star stands for, or null when the text does not match the pieces. */
export function wildcardMatches(pieces: readonly string[], text: string): readonly string[] | null {
  const first = pieces[0]!;
  const last = pieces[pieces.length - 1]!;
  if (pieces.length === 1) return text === first ? [] : null;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return null;
  const end = text.length - last.length;
  const matched: string[] = [];
  let position = first.length;
  for (let index = 1; index < pieces.length - 1; index++) {
    const piece = pieces[index]!;
    const at = text.indexOf(piece, position);
    if (at < 0 || at + piece.length > end) return null;
    matched.push(text.slice(position, at));
    position = at + piece.length;
  }
  matched.push(text.slice(position, end));
  return matched;
}

/** Longer literal text is more specific; among equals, fewer stars, then the alphabet, so that the order is fixed. */
export function bySpecificity(a: { readonly pieces: readonly string[]; readonly name: string }, b: typeof a): number {
  const literal = (pieces: readonly string[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);
  return literal(b.pieces) - literal(a.pieces) || a.pieces.length - b.pieces.length || (a.name < b.name ? -1 : 1);
}
