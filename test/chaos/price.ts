import type { FakeUsage } from '../fake-provider/script.ts';

/** The rig's models. Whole nano-dollars per token. */
export const price = {
  /** Input is held at one token a byte and billed at about a quarter of that, so settling always frees something. */
  model: 'priced',
  /** Only output costs, and every answer is as long as it may be: what is held is what is spent. */
  exactModel: 'exact',
  /** As `priced`, from a provider that goes on billing when it is hung up on. */
  holdModel: 'priced-hold',
  /** As `priced`, in the other dialect. */
  messagesModel: 'priced-messages',
  inputNanodollars: 1_000,
  outputNanodollars: 2_000,
} as const;

/** What the provider's invoice comes to for one dispatch, in nano-dollars. */
export function billed(model: string, usage: FakeUsage): number {
  const input = model === price.exactModel ? 0 : price.inputNanodollars;
  return usage.inputTokens * input + usage.outputTokens * price.outputNanodollars;
}
