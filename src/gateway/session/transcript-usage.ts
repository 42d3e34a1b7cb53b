import { maximumRate, type Price } from '../../core/price.ts';
import { noUsage, totalTokens, type Usage } from '../../core/usage.ts';

/** Where the provider tells nothing that its price is made of: tokens of a second of sound, and bytes of a token of text. */
const tokensPerSecond = 10;
const bytesPerToken = 4;

/**
 * What a transcript is charged by: what the provider told, where its price has figures for that; else what was heard, in
 * the measure of the price, marked as an estimate. Nothing that has a price is free because it was told in another measure.
 */
export function usageOfTranscript(
  told: Usage | undefined,
  heard: { readonly audioMs: number; readonly textBytes: number },
  price: Price | null,
): Usage {
  const bySecond = (price?.units?.audioMs ?? 0) > 0;
  const byToken = price !== null && maximumRate(price, 'input') + maximumRate(price, 'output') > 0;
  const toldMs = told?.units?.audioMs;
  if (told !== undefined) {
    const isPriced = toldMs === undefined ? byToken || totalTokens(told) === 0 : bySecond;
    if (isPriced || (!bySecond && !byToken)) return told;
  }
  const audioMs = toldMs ?? Math.ceil(heard.audioMs);
  const tokens = {
    inputAudioTokens: Math.ceil((audioMs * tokensPerSecond) / 1_000),
    outputTokens: Math.ceil(heard.textBytes / bytesPerToken),
  };
  return { ...noUsage, ...(bySecond || !byToken ? { units: { audioMs } } : tokens), estimated: true };
}
