import type { ModelTraits } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ReasoningOptions } from '../../core/neutral.ts';

const budgetTokensMin = 1024;

const budgetByEffort: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 2048,
  high: 4096,
  xhigh: 8192,
  max: 16_384,
};

const effortsKnown = ['low', 'medium', 'high', 'xhigh', 'max'];

/** `thinking` and `output_config.effort` for a wish to reason. `cap` is the maximum of output tokens, thinking included. */
export function encodeThinking(
  reasoning: ReasoningOptions | undefined,
  cap: number,
  traits: ModelTraits,
): { thinking?: JsonObject; outputConfig?: JsonObject } {
  if (reasoning === undefined) return {};
  const { effort, mode, budgetTokens } = reasoning;
  const outputConfig = effort !== undefined && traits.adaptiveThinking ? { effort: knownEffort(effort) } : undefined;
  if (mode === 'disabled') return { thinking: { type: 'disabled' }, ...configured(outputConfig) };
  if (mode === 'adaptive') return { thinking: { type: 'adaptive' }, ...configured(outputConfig) };
  if (mode === 'enabled' && budgetTokens !== undefined) {
    return { thinking: { type: 'enabled', budget_tokens: budgetTokens }, ...configured(outputConfig) };
  }
  if (effort === 'none' || effort === 'disable') return {};
  if (traits.adaptiveThinking) {
    if (effort === undefined && mode !== 'enabled') return {};
    return { thinking: { type: 'adaptive' }, ...configured(outputConfig) };
  }
  // Who only says that it shall think says nothing of how much.
  const budget = budgetTokens ?? budgetByEffort[effort ?? (mode === 'enabled' ? 'medium' : '')];
  // The budget must stay below the cap, and the cap is the caller's bound on cost: it is the budget that gives way.
  if (budget === undefined || cap <= budgetTokensMin) return {};
  return { thinking: { type: 'enabled', budget_tokens: Math.max(budgetTokensMin, Math.min(budget, cap - 1)) } };
}

function configured(outputConfig: JsonObject | undefined): { outputConfig?: JsonObject } {
  return outputConfig === undefined ? {} : { outputConfig };
}

function knownEffort(effort: string): string {
  return effortsKnown.includes(effort) ? effort : effort === 'minimal' ? 'low' : 'medium';
}
