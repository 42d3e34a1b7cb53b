import { expect, it } from 'vitest';
import { freePrice } from '../../core/price.ts';
import { noUsage } from '../../core/usage.ts';
import { usageOfTranscript } from './transcript-usage.ts';

const bySecond = { ...freePrice, units: { audioMs: 100 } };
const byToken = { ...freePrice, rates: { input: 1, output: 1 } };
const seconds = { ...noUsage, units: { audioMs: 2_500 } };
const tokens = { ...noUsage, inputAudioTokens: 25, outputTokens: 5 };
const heard = { audioMs: 2_000.4, textBytes: 41 };

it.each([
  ['seconds by the second', seconds, bySecond, seconds],
  ['tokens by the token', tokens, byToken, tokens],
  ['nothing by the token', noUsage, byToken, noUsage],
  ['nothing by the second', noUsage, bySecond, noUsage],
  ['seconds for nothing', seconds, freePrice, seconds],
  ['tokens without a price', tokens, null, tokens],
])('%s are charged as told', (_, told, price, expected) => {
  expect(usageOfTranscript(told, heard, price)).toBe(expected);
});

it.each([
  ['tokens by the second', tokens, bySecond, { units: { audioMs: 2_001 } }],
  ['seconds by the token', seconds, byToken, { inputAudioTokens: 25, outputTokens: 11 }],
  ['silence by the second', undefined, bySecond, { units: { audioMs: 2_001 } }],
  ['silence by the token', undefined, byToken, { inputAudioTokens: 21, outputTokens: 11 }],
])('%s are charged by what was heard, as an estimate', (_, told, price, expected) => {
  expect(usageOfTranscript(told, heard, price)).toEqual({ ...noUsage, ...expected, estimated: true });
});
