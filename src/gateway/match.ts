/** `openai/*` → the literal pieces between the stars; remembered, because the same few patterns come again and again. */
function piecesOf(pattern: string): readonly string[] {
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
  return pattern === text || (pattern.includes('*') && wildcardMatches(piecesOf(pattern), text) !== null);
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

/** The candidate nearest to a mistyped name, or null when none is near enough to be meant. */
export function nearestName(name: string, candidates: readonly string[]): string | null {
  const wanted = name.slice(0, nameLengthMax).toLowerCase();
  let nearest: string | null = null;
  let best = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.slice(0, nameLengthMax).toLowerCase(), best);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

const nameLengthMax = 100;

/** Levenshtein distance, given up once it cannot be below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let smallest = row;
    for (let column = 1; column <= b.length; column++) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      const value = Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1);
      current.push(value);
      if (value < smallest) smallest = value;
    }
    if (smallest >= limit) return limit;
    previous = current;
  }
  return previous[b.length]!;
}
