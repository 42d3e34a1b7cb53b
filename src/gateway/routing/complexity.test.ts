import { describe, expect, it } from 'vitest';
import { deployment, type ExchangeParts, gateway, identified, principal, snapshot } from '../../../test/builders.ts';
import { complexityRouteOf } from '../../config/complexity-route.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ComplexityRoute } from '../../core/route.ts';
import { openaiChat } from '../../dialects/openai-chat/index.ts';
import { plan } from '../plan.ts';
import { tierOf } from './complexity.ts';

function route(config: object = {}): ComplexityRoute {
  const params = { model: 'auto_router/complexity_router', complexity_router_config: config } as never;
  return complexityRouteOf({ params, group: 'smart', path: [] }, () => {})!;
}

const tiers = { SIMPLE: 'small', MEDIUM: 'middle', COMPLEX: 'large', REASONING: 'thinker' };
const asks = (asked: string, system = '') => tierOf(route({ tiers }), { asked, system });

describe('how hard a question is', () => {
  it.each([
    ['SIMPLE', 'What is 2+2?'],
    ['SIMPLE', 'hello'],
    ['MEDIUM', 'Write a python function that returns the largest number of a list.'],
    ['COMPLEX', 'Design a distributed microservice architecture with Kubernetes orchestration'],
    ['REASONING', 'Think step by step and weigh the options: which of the two contracts is cheaper over five years?'],
  ])('%s: %s', (tier, question) => {
    expect(asks(question)).toBe(tier);
  });

  it('asks whole words, in singular and plural', () => {
    expect(asks('The capital of the classical world was beapied on a tokenized bugle')).toBe('SIMPLE');
    expect(asks('functions and classes compared for readers of all kinds and sizes')).not.toBe('SIMPLE');
  });

  it('does not take a system text that asks for reasoning for a hard question', () => {
    expect(asks('hello', 'Think step by step, weigh the options, explain your reasoning.')).toBe('SIMPLE');
  });

  it('lets words of the operator decide, the hardest tier of several', () => {
    const rules = [
      { keywords: ['contract'], tier: 'COMPLEX' as const },
      { keywords: ['hi', 'c++'], tier: 'MEDIUM' as const },
    ];
    const own = route({ tiers, keyword_tier_rules: rules });
    expect(tierOf(own, { asked: 'hi there', system: '' })).toBe('MEDIUM');
    expect(tierOf(own, { asked: 'hi, read this contract', system: '' })).toBe('COMPLEX');
    expect(tierOf(own, { asked: 'C++ please', system: '' })).toBe('MEDIUM');
  });

  it('takes boundaries, weights and words of the operator', () => {
    expect(tierOf(route({ tiers, tier_boundaries: { simple_medium: -2 } }), { asked: 'hello', system: '' })).toBe(
      'MEDIUM',
    );
    const own = route({ tiers, code_keywords: ['torque', 'gear'], dimension_weights: { codePresence: 0.5 } });
    expect(tierOf(own, { asked: 'torque of the second gear of this lorry, in newton metres', system: '' })).toBe(
      'COMPLEX',
    );
  });

  it('is told fast of a long text', () => {
    const began = performance.now();
    asks('step '.repeat(400_000));
    expect(performance.now() - began).toBeLessThan(200);
  });
});

describe('a complexity router', () => {
  const deployments = ['small', 'middle', 'large', 'thinker', 'rescue'].map((group) => deployment({ group }));
  const complexityRoutes = new Map([['smart', route({ tiers })]]);
  const spoken = (parts: ExchangeParts) => Object.assign(identified(parts), { dialect: openaiChat });
  const planned = (question: unknown, models: string[] = [], more: object = {}) =>
    plan(
      gateway(),
      spoken({
        snapshot: { ...snapshot({ deployments, ...more }), complexityRoutes },
        facts: { model: 'smart' },
        body: { model: 'smart', messages: [{ role: 'user', content: question }] } as never,
        principal: principal({ modelAccess: [{ scope: 'key', id: 'key', models }] }),
      }),
    );

  it('leads to the group of the tier', () => {
    expect(planned('hello').model).toBe('small');
    expect(planned('Design a distributed microservice architecture with Kubernetes orchestration').model).toBe('large');
    expect(planned(17).model).toBe('middle');
  });

  it('is enough to be allowed, or its group is', () => {
    expect(planned('hello', ['smart']).route.primary.name).toBe('small');
    expect(planned('hello', ['small']).route.primary.name).toBe('small');
    expect(() => planned('hello', ['large'])).toThrow(GatewayError);
  });

  it('has its own fallbacks before those of the group', () => {
    const fallbacks = new Map([
      ['smart', ['rescue']],
      ['small', ['large']],
    ]);
    expect(planned('hello', [], { router: { fallbacks } }).route.fallbacks).toEqual(['rescue']);
  });

  it('can be what is fallen back to', () => {
    const exchange = spoken({
      snapshot: {
        ...snapshot({ deployments, router: { fallbacks: new Map([['rescue', ['smart']]]) } }),
        complexityRoutes,
      },
      facts: { model: 'rescue' },
      body: { model: 'rescue', messages: [{ role: 'user', content: 'hello' }] } as never,
    });
    expect(plan(gateway(), exchange).route.reachable.map(({ group }) => group)).toEqual(['rescue', 'small']);
  });
});
