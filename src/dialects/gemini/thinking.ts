import type { ModelTraits } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ReasoningOptions } from '../../core/neutral.ts';

const budgetByEffort: Readonly<Record<string, number>> = {
  none: 0,
  disable: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

const levelByEffort: Readonly<Record<string, string>> = {
  none: 'MINIMAL',
  disable: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/** Models of the third generation take a level, those before it a budget of tokens. */
export function encodeThinking(reasoning: ReasoningOptions | undefined, traits: ModelTraits): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, mode, budgetTokens } = reasoning;
  if (mode === 'disabled') return { thinkingBudget: 0 };
  if (mode === 'enabled' && budgetTokens !== undefined) return { thinkingBudget: budgetTokens, includeThoughts: true };
  if (effort !== undefined) {
    const isOff = effort === 'none' || effort === 'disable';
    const levels = traits.thinkingLevels === true;
    const known = levels ? levelByEffort[effort] : budgetByEffort[effort];
    if (known === undefined) return undefined;
    return { [levels ? 'thinkingLevel' : 'thinkingBudget']: known, ...(isOff ? {} : { includeThoughts: true }) };
  }
  return mode === 'adaptive' || mode === 'enabled' ? { thinkingBudget: -1, includeThoughts: true } : undefined;
}
