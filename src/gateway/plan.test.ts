import { describe, expect, it } from 'vitest';
import {
  deployment,
  type ExchangeParts,
  gateway,
  identified,
  principal,
  type SnapshotParts,
  snapshot,
  TestClock,
} from '../../test/builders.ts';
import { GatewayError } from '../core/errors.ts';
import type { ModelAccessRule } from '../core/identity.ts';
import { fallbacksOf, pickDeployment, plan, planGroup } from './plan.ts';
import { createHealth } from './routing/health.ts';

function planned(config: SnapshotParts, asked: string | undefined, more: ExchangeParts = {}) {
  const exchange = identified({ ...more, snapshot: snapshot(config), facts: { ...more.facts, model: asked } });
  return plan(gateway(), exchange);
}

function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (cause) {
    if (cause instanceof GatewayError) return cause;
    throw cause;
  }
  throw new Error('nothing was refused');
}

const key = (...models: string[]): ModelAccessRule => ({ scope: 'key', id: 'key-hash', models });
const team = (...models: string[]): ModelAccessRule => ({ scope: 'team', id: 'team-1', models });

describe('plan: which group', () => {
  const a = deployment({ group: 'a' });
  const wide = deployment({ group: 'acme/*' });
  const narrow = deployment({ group: 'acme/gpt-*' });
  const config = { deployments: [a, wide, narrow], aliases: { nick: 'a' } };

  it('takes the exact group, an alias of the router, a deployment id', () => {
    expect(planned(config, 'a')).toMatchObject({ model: 'a', route: { primary: { name: 'a', candidates: [a] } } });
    expect(planned(config, 'nick')).toMatchObject({ model: 'a', route: { primary: { candidates: [a] } } });
    expect(planned(config, a.id)).toMatchObject({ model: 'a', route: { primary: { candidates: [a] } } });
  });

  it('takes the most specific wildcard and tells what its stars stand for', () => {
    expect(planned(config, 'acme/gpt-5').route.primary).toEqual({
      name: 'acme/gpt-5',
      wildcardMatches: ['5'],
      candidates: [narrow],
    });
    expect(planned(config, 'acme/x/y').route.primary).toMatchObject({ wildcardMatches: ['x/y'], candidates: [wide] });
  });

  it('applies the key’s own aliases first', () => {
    expect(planned(config, 'fast', { principal: principal({ modelAliases: { fast: 'a' } }) }).model).toBe('a');
    expect(refusal(() => planned(config, 'constructor')).code).toBe('unknown_model');
  });

  it('says of an unknown model what the key may use, and the nearest', () => {
    const error = refusal(() => planned({ deployments: [deployment({ group: 'llama-4-scout' }), a] }, 'lama-4-scout'));
    expect(error.status).toBe(400);
    expect(error.message).toContain(
      '/v1/chat/completions: Invalid model name passed in model=lama-4-scout. Call `/v1/models`',
    );
    expect(error.message).toContain('This key may use: a, llama-4-scout.');
    expect(error.message).toContain("Did you mean 'llama-4-scout'?");
    expect(refusal(() => planned(config, undefined)).details.param).toBe('model');
  });

  it('names at most twenty models, and only those the key may use', () => {
    const many = Array.from({ length: 30 }, (_, index) => deployment({ group: `m${String(index).padStart(2, '0')}` }));
    expect(refusal(() => planned({ deployments: many }, 'zzzzzz')).message).toContain('m19, … 10 more.');
  });

  it('goes to the default fallbacks when nobody knows the name', () => {
    const fallback = deployment({ group: 'rescue' });
    const route = planned({ deployments: [a, fallback], router: { defaultFallbacks: ['rescue', 'a'] } }, 'gone').route;
    expect(route).toMatchObject({ primary: { name: 'rescue' }, fallbacks: ['a'] });
  });
});

describe('plan: access', () => {
  const config = {
    deployments: [
      deployment({ group: 'a' }),
      deployment({ group: 'b' }),
      deployment({ group: 'acme/x' }),
      deployment({ group: 'bare' }),
    ],
    accessGroups: { beta: ['b'] },
    aliases: { nick: 'a' },
  };
  const ask = (model: string, rules: readonly ModelAccessRule[], more = {}) =>
    planned(config, model, { principal: principal({ modelAccess: rules, ...more }) }).model;
  const denied = (model: string, rules: readonly ModelAccessRule[], more = {}) =>
    refusal(() => ask(model, rules, more));

  it('lets a list allow names, patterns, access groups, aliases and providers', () => {
    expect(ask('a', [key()])).toBe('a');
    expect(ask('a', [key('a')])).toBe('a');
    expect(ask('acme/x', [key('acme/*')])).toBe('acme/x');
    expect(ask('bare', [key('acme/*')])).toBe('bare');
    expect(ask('b', [key('beta')])).toBe('b');
    expect(ask('nick', [key('nick')])).toBe('a');
    expect(ask('nick', [key('a')])).toBe('a');
    expect(ask('a', [key('all-proxy-models')])).toBe('a');
    expect(ask('a', [key('all-team-models'), team('a')], { teamId: 'team-1' })).toBe('a');
  });

  it('wants every list on the chain to allow it', () => {
    expect(denied('a', [key('a'), team('b')])).toMatchObject({ code: 'team_model_denied', status: 403 });
    expect(denied('a', [key('all-team-models'), team('b')], { teamId: 'team-1' }).code).toBe('team_model_denied');
    expect(denied('a', [key('all-team-models')]).code).toBe('key_model_denied');
    expect(denied('a', [{ scope: 'user', id: 'u', models: ['no-default-models'] }]).type).toBe(
      'user_model_access_denied',
    );
    expect(ask('a', [{ scope: 'user', id: 'u', models: ['no-default-models'] }, team('a')])).toBe('a');
  });

  it('tells it in the words clients know, and hides the list where the operator wants', () => {
    expect(denied('b', [key('a')])).toMatchObject({
      message: "key not allowed to access model. This key can only access models=['a']. Tried to access b",
      details: { param: 'model' },
      type: 'key_model_access_denied',
    });
    const hidden = { ...config, settings: { showAllowedModels: false } };
    const error = refusal(() => planned(hidden, 'b', { principal: principal({ modelAccess: [key('a')] }) }));
    expect(error.message).toBe('key not allowed to access model. Tried to access b');
  });

  it('checks where the key’s alias leads, on every list', () => {
    const aliased = { modelAliases: { fast: 'b' } };
    expect(ask('fast', [key('b')], aliased)).toBe('b');
    expect(denied('fast', [key('fast', 'a')], aliased).code).toBe('key_model_denied');
    expect(denied('fast', [key('b'), team('a')], aliased).code).toBe('team_model_denied');
  });

  it('never plans a group the key may not use, whoever asks for the plan', () => {
    const exchange = identified({ snapshot: snapshot(config), principal: principal({ modelAccess: [key('a')] }) });
    expect(refusal(() => planGroup(gateway(), exchange, 'b')).code).toBe('key_model_denied');
  });
});

describe('plan: candidates', () => {
  it('leaves out the unusable, the blocked, other operations and other teams', () => {
    const good = deployment();
    const all = [
      good,
      deployment({ unusable: 'no credential' }),
      deployment({ blocked: true }),
      deployment({ operations: ['embedding'] }),
      deployment({ teamId: 'other' }),
    ];
    expect(planned({ deployments: all }, 'm').route.primary.candidates).toEqual([good]);
    const error = refusal(() => planned({ deployments: all.slice(1) }, 'm'));
    expect(error.message).toContain(
      'There are no healthy deployments for this model. Passed model=m: no credential; it is blocked',
    );
  });

  it('gives the place of an unusable group to its fallback', () => {
    const other = deployment({ group: 'b' });
    const config = {
      deployments: [deployment({ unusable: 'no credential' }), other],
      router: { fallbacks: new Map([['m', ['b']]]) },
    };
    expect(planned(config, 'm').route).toMatchObject({ primary: { name: 'b' }, fallbacks: [], reachable: [other] });
  });

  it('wants known capabilities to cover what is needed, and names what is missing', () => {
    const blind = deployment({ capabilities: { vision: false } });
    const unknown = deployment();
    const needs = { needs: { vision: true } };
    expect(planned({ deployments: [blind, unknown] }, 'm', { facts: needs }).route.primary.candidates).toEqual([
      unknown,
    ]);
    expect(refusal(() => planned({ deployments: [blind] }, 'm', { facts: needs })).message).toContain(
      'supports image input',
    );
    const plain = deployment({ capabilities: { jsonSchema: false } });
    expect(
      planned({ deployments: [plain] }, 'm', { facts: { needs: { jsonSchema: true } } }).route.primary.candidates,
    ).toEqual([plain]);
  });

  it('filters by tags: any or all, then default, then untagged', () => {
    const free = deployment({ tags: ['free', 'eu'] });
    const paid = deployment({ tags: ['paid'] });
    const usual = deployment({ tags: ['default'] });
    const pick = (tags: readonly string[], deployments = [free, paid, usual], any = true) =>
      planned({ deployments, router: { tagFiltering: true, tagsMatchAny: any } }, 'm', { tags }).route.primary
        .candidates;
    expect(pick(['free', 'us'])).toEqual([free]);
    expect(pick(['free', 'us'], [free, usual], false)).toEqual([usual]);
    expect(pick(['free', 'eu'], [free, paid], false)).toEqual([free]);
    expect(pick([])).toEqual([usual]);
    expect(pick([], [free, paid])).toEqual([free, paid]);
    const error = refusal(() => pick(['x'], [free]));
    expect(error).toMatchObject({ status: 401 });
    expect(error.message).toContain('Not allowed to access model due to tags configuration');
  });

  it('skips a context that is clearly too small when asked to check, and goes to its fallback', () => {
    const small = deployment({ limits: { inputTokensMax: 10, outputTokensMax: 10 } });
    const large = deployment({ group: 'large' });
    const body = { messages: [{ role: 'user', content: 'x'.repeat(500) }] };
    const config = { deployments: [small, large], router: { preCallChecks: true } };
    expect(refusal(() => planned(config, 'm', { body })).code).toBe('context_window_exceeded');
    const rescued = { ...config, router: { preCallChecks: true, contextWindowFallbacks: new Map([['m', ['large']]]) } };
    expect(planned(rescued, 'm', { body }).route.primary.name).toBe('large');
    expect(planned({ ...config, router: {} }, 'm', { body }).route.primary.candidates).toEqual([small]);
  });
});

describe('plan: fallbacks', () => {
  const names = ['m', 'b', 'c', 'd'];
  const all = names.map((group) => deployment({ group }));
  const router = {
    fallbacks: new Map([
      ['m', ['b']],
      ['b', ['c']],
      ['c', ['m']],
    ]),
  };

  it('reaches fallbacks of fallbacks, for the bound', () => {
    expect(planned({ deployments: all, router }, 'm').route.reachable.map(({ group }) => group)).toEqual([
      'm',
      'b',
      'c',
    ]);
    const shallow = { ...router, fallbacksMax: 1 };
    expect(planned({ deployments: all, router: shallow }, 'm').route.reachable.map(({ group }) => group)).toEqual([
      'm',
      'b',
    ]);
  });

  it('looks up the exact name, the name without provider, then the star', () => {
    const maps = new Map([
      ['acme/x', ['a1']],
      ['y', ['a2']],
      ['*', ['a3']],
    ]);
    const deployments = ['a1', 'a2', 'a3', 'acme/x', 'acme/y', 'z'].map((group) => deployment({ group }));
    const exchange = identified({ snapshot: snapshot({ deployments, router: { fallbacks: maps } }) });
    expect(['acme/x', 'acme/y', 'z'].map((name) => fallbacksOf(exchange, name).fallbacks)).toEqual([
      ['a1'],
      ['a2'],
      ['a3'],
    ]);
  });

  it('drops what the key may not use, refuses what the caller names and may not use, and obeys disable_fallbacks', () => {
    const asking = principal({ modelAccess: [key('m', 'd')] });
    const config = { deployments: all, router };
    expect(planned(config, 'm', { principal: asking }).route).toMatchObject({ fallbacks: [], reachable: [all[0]] });
    const named = (model: string) =>
      planned(config, 'm', { principal: asking, options: { fallbacks: [{ model, overrides: {} }] } });
    expect(named('d').route.fallbacks).toEqual(['d']);
    expect(refusal(() => named('b')).code).toBe('key_model_denied');
    expect(planned(config, 'm', { options: { fallbacksDisabled: true } }).route.fallbacks).toEqual([]);
  });
});

describe('pickDeployment', () => {
  const none: ReadonlySet<string> = new Set();
  function choose(
    deployments: ReturnType<typeof deployment>[],
    router = {},
    excluded = none,
    prepare?: (health: ReturnType<typeof createHealth>) => void,
    maxOutputTokens?: number,
  ) {
    const clock = new TestClock();
    const health = createHealth(clock);
    const config = snapshot({ deployments, router });
    prepare?.(health);
    const found = identified({ snapshot: config });
    const exchange = maxOutputTokens === undefined ? found : { ...found, facts: { ...found.facts, maxOutputTokens } };
    const group = { name: 'm', wildcardMatches: null, candidates: deployments };
    return { picked: pickDeployment(gateway({ clock, health }), exchange, group, excluded), clock };
  }
  const busy = (of: ReturnType<typeof deployment>) => (health: ReturnType<typeof createHealth>) => {
    health.failed(of, new GatewayError('upstream_rate_limited', 'slow down'), snapshot({ deployments: [of] }), 2);
  };

  it('leaves out what was tried, and says when nothing is left', () => {
    const [a, b] = [deployment(), deployment()];
    expect(choose([a, b], {}, new Set([a.id])).picked).toBe(b);
    expect(choose([a], {}, new Set([a.id])).picked).toBe('none');
  });

  it('leaves out what failed its last check, as long as the check is fresh and something is left', () => {
    const [a, b] = [deployment(), deployment()];
    const checkedRouting = { freshMs: 1_000, ignoresTransient: true };
    const failing = (status: number | null) => (health: ReturnType<typeof createHealth>) =>
      health.checked(a, false, status);
    expect(choose([a, b], { checkedRouting }, none, failing(500)).picked).toBe(b);
    expect(choose([a], { checkedRouting }, none, failing(500)).picked).toBe(a);
    const both = new Set(Array.from({ length: 40 }, () => choose([a, b], {}, none, failing(500)).picked));
    const transient = Array.from({ length: 40 }, () => choose([a, b], { checkedRouting }, none, failing(429)).picked);
    expect([both.has(b), transient.includes(b)]).toEqual([true, true]);
  });

  it('leaves out what cools down, and says until when', () => {
    const [a, b] = [deployment(), deployment()];
    expect(choose([a, b], {}, none, busy(a)).picked).toBe(b);
    const { picked, clock } = choose([a], {}, none, busy(a));
    expect(picked).toEqual({ coolingDownUntil: clock.now() + 5_000 });
  });

  it('takes the lowest order that is awake', () => {
    const [last, second, first] = [deployment(), deployment({ order: 2 }), deployment({ order: 1 })];
    expect(choose([last, second, first]).picked).toBe(first);
    expect(choose([last, second, first], {}, none, busy(first)).picked).toBe(second);
    expect(choose([last, second], {}, new Set([second.id])).picked).toBe(last);
  });

  it('keeps deployments within rpm and tpm where the strategy respects them', () => {
    const [tight, wide] = [deployment({ rpm: 1 }), deployment({ price: null })];
    const used = (health: ReturnType<typeof createHealth>) => health.started(tight);
    expect(choose([tight, wide], { strategy: 'cost-based-routing' }, none, used).picked).toBe(wide);
    expect(choose([tight], { strategy: 'simple-shuffle' }, none, used).picked).toBe(tight);
    expect(choose([tight], { strategy: 'usage-based-routing' }, none, used).picked).toHaveProperty('coolingDownUntil');
    const few = deployment({ tpm: 5 });
    expect(choose([few, wide], { strategy: 'cost-based-routing' }).picked).toBe(wide);
  });

  it('counts input and output tokens apart for itpm and otpm', () => {
    const wide = deployment({ price: null });
    const picked = (rates: object, inputTokens: number, outputTokens: number) => {
      const tight = deployment(rates);
      const used = (health: ReturnType<typeof createHealth>) => {
        health.started(tight);
        health.succeeded(tight, { totalMs: 10, firstTokenMs: null, inputTokens, outputTokens });
      };
      return choose([tight, wide], { strategy: 'cost-based-routing' }, none, used).picked === tight;
    };
    expect([picked({ itpm: 100_000 }, 5, 200_000), picked({ itpm: 100_000 }, 100_000, 5)]).toEqual([true, false]);
    expect([picked({ otpm: 10 }, 200_000, 9), picked({ otpm: 10 }, 5, 10)]).toEqual([true, false]);
    expect(choose([deployment({ itpm: 0 }), wide], { strategy: 'cost-based-routing' }).picked).toBe(wide);
  });

  it('counts the output that a request asks for against otpm before it is written', () => {
    const wide = deployment({ price: null });
    const picked = (maxOutputTokens: number, written: number) => {
      const tight = deployment({ otpm: 100 });
      const used = (health: ReturnType<typeof createHealth>) => {
        health.started(tight);
        health.succeeded(tight, { totalMs: 10, firstTokenMs: null, inputTokens: 1, outputTokens: written });
      };
      return choose([tight, wide], { strategy: 'cost-based-routing' }, none, used, maxOutputTokens).picked === tight;
    };
    expect([picked(40, 60), picked(41, 60)]).toEqual([true, false]);
    // More than a minute's worth fits into a minute of its own, and no other.
    expect([picked(1_000, 0), picked(1_000, 1)]).toEqual([true, false]);
  });

  it('prefers deployments with a free parallel slot', () => {
    const [full, free] = [deployment({ parallelMax: 1, weight: 1 }), deployment({ weight: 0 })];
    const used = (health: ReturnType<typeof createHealth>) => health.started(full);
    expect(choose([full, free], {}, none, used).picked).toBe(free);
    expect(choose([full], {}, none, used).picked).toBe(full);
  });
});
