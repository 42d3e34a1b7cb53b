import type { z } from 'zod';
import { amount, count, either, key, listOf, map, number, oneOf, required, text, texts } from '../field.ts';

export const complexityTiers = ['SIMPLE', 'MEDIUM', 'COMPLEX', 'REASONING'] as const;

const tierGroup = map({ model_name: required(text(), 'Model group.') });
const tierGroups = either(
  'a model group, or a list of them',
  text(),
  listOf(either('a model group', text(), tierGroup)),
  tierGroup,
);

export const complexityRouter = map({
  tiers: key(
    map({
      SIMPLE: key(tierGroups, 'Short questions and greetings.'),
      MEDIUM: key(tierGroups, 'What is neither.'),
      COMPLEX: key(tierGroups, 'Code and technical matters.'),
      REASONING: key(tierGroups, 'What asks for reasoning.'),
    }),
    'Model group of each tier; of several, one is taken for each request.',
  ),
  tier_boundaries: key(
    map({
      simple_medium: key(number(), 'Below: SIMPLE.', '0.15'),
      medium_complex: key(number(), 'Below: MEDIUM.', '0.35'),
      complex_reasoning: key(number(), 'Below: COMPLEX; from there: REASONING.', '0.6'),
    }),
    'Between which scores a tier lies.',
  ),
  token_thresholds: key(
    map({
      simple: key(count(), 'Shorter texts are simpler.', '15'),
      complex: key(count(), 'Longer texts are harder.', '400'),
    }),
    'Length of a text in tokens, of four characters each.',
  ),
  dimension_weights: key(
    map({
      tokenCount: key(amount(), 'Length.', '0.1'),
      codePresence: key(amount(), 'Words of programming.', '0.3'),
      reasoningMarkers: key(amount(), 'Words that ask for reasoning.', '0.25'),
      technicalTerms: key(amount(), 'Technical words.', '0.25'),
      simpleIndicators: key(amount(), 'Words of simple questions.', '0.05'),
      multiStepPatterns: key(amount(), 'Several steps.', '0.03'),
      questionComplexity: key(amount(), 'Several questions.', '0.02'),
    }),
    'Share of each measure in the score.',
  ),
  code_keywords: key(texts(), 'Words of programming, in place of the built-in ones.'),
  reasoning_keywords: key(
    texts(),
    'Words that ask for reasoning, in place of the built-in ones; two of them mean REASONING.',
  ),
  technical_keywords: key(texts(), 'Technical words, in place of the built-in ones.'),
  simple_keywords: key(texts(), 'Words of simple questions, in place of the built-in ones.'),
  custom_technical_keywords: key(texts(), 'Technical words beside the built-in ones.'),
  keyword_tier_rules: key(
    listOf(map({ keywords: required(texts(), 'Words.'), tier: required(oneOf(...complexityTiers), 'Tier.') })),
    'Words that decide alone; of several rules, the hardest tier.',
  ),
  default_model: key(text(), 'The same as `complexity_router_default_model`.'),
  classifier_type: key(text(), 'How requests are measured. Only by words and length so far.', 'heuristic'),
});

export type ComplexityRouter = z.output<typeof complexityRouter>;
