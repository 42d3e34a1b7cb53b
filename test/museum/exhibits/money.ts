import type { Exhibit } from '../exhibit.ts';

const vectors = ['test/cost-vectors/cost-vectors.test.ts'];
const chatUsage = 'src/dialects/openai-chat/usage.ts';
const price = 'src/core/price.ts';

/** What an answer costs. */
export const moneyExhibits: readonly Exhibit[] = [
  {
    name: 'cached tokens are paid twice, as cached and as input',
    seen: '#9812, langfuse#8808',
    file: chatUsage,
    changes: [{ find: 'inputTokens: uncached - inputAudio', replace: 'inputTokens: prompt - inputAudio' }],
    tests: vectors,
  },
  {
    name: 'reasoning tokens are paid twice, as reasoning and as output',
    seen: '#11789',
    file: chatUsage,
    changes: [{ find: 'isReasoningBeside ? completion : completion - reasoning', replace: 'completion' }],
    tests: vectors,
  },
  {
    name: 'writing the provider’s cache is forgotten',
    seen: '#9812',
    file: 'src/dialects/anthropic-messages/usage.ts',
    changes: [{ find: 'cacheWriteTokens: written - writtenLong', replace: 'cacheWriteTokens: 0' }],
    tests: vectors,
  },
  {
    name: 'running totals of a stream are added up',
    seen: 'langfuse#8808',
    file: 'src/dialects/openai-chat/relay.ts',
    changes: [
      {
        find: '      progress.usage = usage;\n',
        replace:
          '      const before = progress.usage?.outputTokens ?? 0;\n' +
          '      progress.usage = { ...usage, outputTokens: usage.outputTokens + before };\n',
      },
    ],
    tests: vectors,
  },
  {
    name: 'a prompt exactly at a threshold pays the price above it',
    seen: 'market practice: `>=` where the price list says "more than"',
    file: price,
    changes: [
      { find: 'if (inputTokens > tier.aboveInputTokens)', replace: 'if (inputTokens >= tier.aboveInputTokens)' },
    ],
    tests: vectors,
  },
  {
    name: 'costs are rounded to the nearest figure instead of up',
    seen: 'market practice: floating-point dollars with a tolerance',
    file: price,
    changes: [{ find: 'return Math.ceil(sum / 1_000_000);', replace: 'return Math.round(sum / 1_000_000);' }],
    tests: vectors,
  },
  {
    name: 'large products lose their last figures in floating point',
    seen: 'market practice: money in doubles',
    file: price,
    changes: [{ find: 'if (sum <= Number.MAX_SAFE_INTEGER) return', replace: 'if (sum > 0) return' }],
    tests: vectors,
  },
  {
    name: 'a discount is taken in floating point',
    seen: 'market practice: money in doubles',
    file: 'src/core/charge.ts',
    changes: [
      {
        find: 'Number(trillionths(listed, discountRatio) / trillion)',
        replace: 'Math.floor(listed * discountRatio)',
      },
    ],
    tests: vectors,
  },
  {
    name: 'the bound forgets that several answers were asked for',
    seen: 'market practice: an estimate for one answer',
    file: 'src/gateway/limits/estimate.ts',
    changes: [{ find: ' * choicesOf(variant, deployment);', replace: ';' }],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'without max_tokens the bound is a guess',
    seen: 'market practice: a default of 16,384',
    file: 'src/gateway/limits/output-bound.ts',
    changes: [{ find: 'Math.min(asked ?? modelMax, modelMax)', replace: 'Math.min(asked ?? 1_024, modelMax)' }],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'characters that a tokenizer expands are counted as they were sent',
    seen: 'hermes-studio#1640',
    file: 'src/gateway/limits/input-bound.ts',
    changes: [{ find: "most = Math.max(most, Buffer.byteLength(text.normalize('NFKC')))", replace: 'void text' }],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'a model without a price is free under a hard budget',
    seen: '#27509',
    file: 'src/gateway/admit.ts',
    changes: [{ find: 'if (hard !== undefined && (', replace: 'if (hard !== undefined && bound.amount < 0 && (' }],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'a client that leaves before the usage arrives pays nothing for what it got',
    seen: 'GHSA-724j-f2pf-phf7',
    file: 'src/gateway/call.ts',
    changes: [
      {
        find: 'const estimate = estimatedUsage(exchange, attempt.target.deployment, outputBytes);',
        replace: 'const estimate = noUsage;',
      },
    ],
    tests: ['test/journeys/streams.test.ts'],
    only: 'after its first content|without usage',
  },
];
