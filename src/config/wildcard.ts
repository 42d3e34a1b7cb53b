/** `openai/*` → the literal pieces between the stars: `['openai/', '']`. */
export function patternPieces(pattern: string): readonly string[] {
  return pattern.split('*');
}

/** What each star stands for, or null when the name does not match. Earlier stars take as little as possible. */
export function matchPieces(pieces: readonly string[], name: string): string[] | null {
  const first = pieces[0]!;
  const last = pieces[pieces.length - 1]!;
  if (pieces.length === 1) return name === first ? [] : null;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return null;
  const matched: string[] = [];
  let position = first.length;
  const end = name.length - last.length;
  for (let index = 1; index < pieces.length - 1; index++) {
    const at = name.indexOf(pieces[index]!, position);
    if (at < 0 || at + pieces[index]!.length > end) return null;
    matched.push(name.slice(position, at));
    position = at + pieces[index]!.length;
  }
  matched.push(name.slice(position, end));
  return matched;
}

/** Longer literal text is more specific; among equals, fewer stars, then the alphabet, so that the order is fixed. */
export function bySpecificity(a: { readonly pieces: readonly string[]; readonly name: string }, b: typeof a): number {
  const literal = (pieces: readonly string[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);
  return literal(b.pieces) - literal(a.pieces) || a.pieces.length - b.pieces.length || (a.name < b.name ? -1 : 1);
}
