import type { Admitted, Planned } from '../../core/exchange.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { choicesOf, outputTokensMaxOf } from '../limits/output-bound.ts';

/** Bytes of text to one token, as a middle figure over languages and tokenizers. */
const bytesPerToken = 4;
/** No whole answer has longer ones: who sent more than this went on after the maximum. */
const bytesPerTokenMost = 16;

/**
 * Stands in where a provider was silent about usage; says that it is an estimate. An answer in long words is not taken for more
 * than the request's maximum, which was held for it; one that can only have passed that maximum is.
 */
export function estimatedUsage(
  exchange: Planned & Partial<Pick<Admitted, 'clampedOutputTokens'>>,
  deployment: Deployment,
  outputBytes: number,
): Usage {
  const inputMax = deployment.limits.inputTokensMax ?? Number.POSITIVE_INFINITY;
  const choiceMax = outputTokensMaxOf(exchange, deployment, exchange.clampedOutputTokens ?? null);
  const outputMax = choiceMax * choicesOf(exchange, deployment);
  const counted = Math.ceil(outputBytes / bytesPerToken);
  return {
    ...noUsage,
    inputTokens: Math.min(Math.ceil(exchange.bytes.length / bytesPerToken), inputMax),
    outputTokens: outputBytes > outputMax * bytesPerTokenMost ? counted : Math.min(counted, outputMax),
    estimated: true,
  };
}
