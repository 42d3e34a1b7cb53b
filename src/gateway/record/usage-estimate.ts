import { noUsage, type Usage } from '../../core/usage.ts';

/** Bytes of text to one token, as a middle figure over languages and tokenizers. */
const bytesPerToken = 4;

/** Stands in where a provider was silent about usage; says that it is an estimate. */
export function estimatedUsage(inputBytes: number, outputBytes: number): Usage {
  return {
    ...noUsage,
    inputTokens: Math.ceil(inputBytes / bytesPerToken),
    outputTokens: Math.ceil(outputBytes / bytesPerToken),
    estimated: true,
  };
}
