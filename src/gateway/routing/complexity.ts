import type { Identified } from '../../core/exchange.ts';
import type { NeutralRequest } from '../../core/neutral.ts';
import type { ComplexityMeasure, ComplexityRoute, ComplexityTier } from '../../core/route.ts';

/*
 * A name that stands for several groups: which one, the request itself says. Its text is measured by words and length alone,
 * in microseconds and without asking anybody, so that replicas agree.
 */

/** More of a text says nothing new about how hard it is. */
const charactersMax = 40_000;
const charactersPerToken = 4;

/** What is measured: the system text sets the subject, the last turn of the user asks. */
export interface AskedText {
  readonly system: string;
  readonly asked: string;
}

/** The group that a request under this name goes to, whenever it is asked: what it may cost was worked out for that one. */
export function groupFor(route: ComplexityRoute, identified: Identified): string {
  const text = textOf(identified);
  const tier = text === null ? null : tierOf(route, text);
  const groups = (tier === null ? undefined : route.tiers[tier]) ?? [];
  const [first] = groups;
  return groups.length > 1 ? groups[share(identified.id, groups.length)]! : (first ?? route.otherwise);
}

/** Spreads requests evenly by their ids. */
function share(id: string, parts: number): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) mixed = Math.imul(mixed ^ id.charCodeAt(index), 0x01000193);
  return (mixed >>> 8) % parts;
}

/** null where nothing is asked in words. */
function textOf({ operation, dialect, body }: Identified): AskedText | null {
  if (operation !== 'chat') return null;
  let request: NeutralRequest;
  try {
    request = dialect.request.decode(body);
  } catch {
    // What is wrong with it is told where it is translated, or by its provider.
    return null;
  }
  const last = request.messages.findLast(({ role }) => role === 'user');
  const texts = (last?.content ?? []).flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0
    ? null
    : { system: request.system.map(({ text }) => text).join('\n'), asked: texts.join('\n') };
}

export function tierOf(route: ComplexityRoute, { system, asked }: AskedText): ComplexityTier {
  const question = asked.slice(0, charactersMax);
  const ruled = route.rules.filter(({ words }) => hits(words, question) > 0).map(({ tier }) => tier);
  const highest = tierNames.findLast((tier) => ruled.includes(tier));
  if (highest !== undefined) return highest;
  // Said by the user alone: a system text that says "think step by step" is no harder question.
  const reasoning = hits(route.words.reasoning, question);
  if (reasoning >= 2) return 'REASONING';
  const all = `${system.slice(0, charactersMax)}\n${question}`;
  const code = hits(route.words.code, all);
  const technical = hits(route.words.technical, all);
  const tokens = asked.length / charactersPerToken;
  const measured: Record<ComplexityMeasure, number> = {
    tokenCount: tokens < route.tokens.simple ? -1 : tokens > route.tokens.complex ? 1 : 0,
    codePresence: code === 0 ? 0 : code === 1 ? 0.5 : 1,
    reasoningMarkers: reasoning === 0 ? 0 : 0.7,
    technicalTerms: technical < 2 ? 0 : technical < 4 ? 0.5 : 1,
    simpleIndicators: hits(route.words.simple, question) === 0 ? 0 : -1,
    multiStepPatterns: severalSteps.test(question) ? 0.5 : 0,
    questionComplexity: question.split('?').length > 4 ? 0.5 : 0,
  };
  let score = 0;
  for (const [measure, value] of Object.entries(measured)) score += value * route.weights[measure as ComplexityMeasure];
  const { boundaries } = route;
  if (score < boundaries.simpleMedium) return 'SIMPLE';
  if (score < boundaries.mediumComplex) return 'MEDIUM';
  return score < boundaries.complexReasoning ? 'COMPLEX' : 'REASONING';
}

const tierNames: readonly ComplexityTier[] = ['SIMPLE', 'MEDIUM', 'COMPLEX', 'REASONING'];
const severalSteps = /\bfirst\b[^.?!]{1,200}\bthen\b|\bstep \d|^\s*\d+[.)]\s/im;

/** How many of the words stand in the text, each counted once. */
function hits(words: RegExp | null, text: string): number {
  if (words === null) return 0;
  const found = new Set<string>();
  for (const [, word] of text.matchAll(words)) found.add(word!.toLowerCase());
  return found.size;
}
