import type { Exhibit } from '../exhibit.ts';

/** Retries, fallbacks, what is on record, configuration. */
export const routingExhibits: readonly Exhibit[] = [
  {
    name: 'a second purchase is made on the hold of the first',
    seen: 'reyn#3047',
    file: 'src/gateway/call/dispatch.ts',
    changes: [{ find: 'if (ambiguous) this.#holdUsed = true;', replace: 'if (ambiguous) this.#holdUsed = false;' }],
    tests: ['test/journeys/failover.test.ts'],
    only: 'second purchase',
  },
  {
    name: 'what was bought without an answer is free',
    seen: 'llmgateway#3505',
    file: 'src/gateway/call/call-tally.ts',
    changes: [{ find: 'verdict.ambiguous ? amountAt(this.#exchange, deployment) : 0', replace: '0' }],
    tests: ['test/journeys/failover.test.ts'],
    only: 'made good by the fallback',
  },
  {
    name: 'a request is sent before it is on record',
    seen: '#33872',
    file: 'src/gateway/call/dispatch.ts',
    changes: [
      {
        find:
          '    const held = this.#hold(target);\n    const refused = held instanceof Promise ? await held : held;\n' +
          '    if (refused) return refused;\n',
        replace: '',
      },
      {
        find: '    const judged = this.#judged(end, attempt, group, options);\n',
        replace:
          '    const refused = await this.#hold(target);\n    if (refused) return refused;\n' +
          '    const judged = this.#judged(end, attempt, group, options);\n',
      },
    ],
    tests: ['test/journeys/on-record.test.ts'],
  },
  {
    name: 'what the caller did wrong is tried again elsewhere',
    seen: 'market practice: retries of every status',
    file: 'src/gateway/routing/retry.ts',
    changes: [{ find: '  if (!error.kind.retryable) return 0;\n', replace: '' }],
    tests: ['src/gateway/routing/retry.test.ts'],
  },
  {
    name: 'a cooling deployment is picked again at once',
    seen: 'market practice: cooldowns that live in one worker',
    file: 'src/gateway/routing/health.ts',
    changes: [
      { find: 'until !== undefined && until > this.#clock.now()', replace: 'until !== undefined && until < 0' },
    ],
    tests: ['src/gateway/plan.test.ts'],
  },
  {
    name: 'half of a broken configuration is taken over',
    seen: 'market practice: a reload that stops in the middle',
    file: 'src/config/live-config.ts',
    changes: [
      {
        find: '    if (prepared.config === undefined) {\n      this.#options.onReport(prepared.diagnostics, true);\n      return false;\n    }\n',
        replace:
          '    if (prepared.config === undefined) prepared.config = { ...this.#prepared.config!, deployments: [] };\n',
      },
    ],
    tests: ['src/config/live-config.test.ts'],
    only: 'keeps the old one',
  },
];
