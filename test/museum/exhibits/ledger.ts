import type { Exhibit } from '../exhibit.ts';

const ledger = 'src/adapters/ledger/ledger.ts';
const contract = ['test/contract/ledger.test.ts'];
const simulation = { tests: ['test/simulation/simulation.test.ts'], only: 'seeds' };
const sqlite = ['test/contract/sqlite.test.ts'];

/** Budgets, holds, windows, journals. */
export const ledgerExhibits: readonly Exhibit[] = [
  {
    name: 'a budget is checked now and counted later',
    seen: 'hard caps exceeded 1.3 to 3.9 times under concurrency',
    file: 'src/adapters/ledger/admission.ts',
    changes: [
      {
        find: 'if (!covered) return this.#wait(hold, amount);\n    take(hold, amount);\n    return true;',
        replace:
          'if (!covered) return this.#wait(hold, amount);\n' +
          '    return Promise.resolve().then((): true => {\n      take(hold, amount);\n      return true;\n    });',
      },
    ],
    tests: contract,
  },
  {
    name: 'what does not fit is admitted under a smaller hold',
    seen: 'market practice: the hold shrinks to what is left',
    file: 'src/gateway/admit.ts',
    changes: [
      {
        find: 'return ledger.reserve(id, rules, amount);',
        replace:
          'const left = rules.map((rule) => (rule.cap ?? amount) - ledger.balance(rule).spent - ledger.balance(rule).held);\n' +
          '  return ledger.reserve(id, rules, Math.max(0, Math.min(amount, ...left)));',
      },
    ],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'what a settlement freed is given to others before the settlement is on record',
    seen: 'our own simulation, seed 4700: a death within 5 ms charged the whole bound, and a neighbour had spent it',
    file: 'src/adapters/ledger/leases.ts',
    changes: [{ find: 'if (!this.#writeJournal()) return false;', replace: '' }],
    tests: contract,
  },
  {
    name: 'a renewal that was long on its way ends a lease that lives',
    seen: 'our own simulation, seed 5240',
    file: 'src/adapters/sql/books.ts',
    changes: [{ find: "expiresAt < now ? renewal : renewal.where('expires_at', '<', expiresAt)", replace: 'renewal' }],
    tests: sqlite,
  },
  {
    name: 'a request that is settled twice is charged twice',
    seen: '#35569',
    file: ledger,
    changes: [{ find: 'if (hold.settled) return;\n    hold.settled = true;', replace: 'hold.settled = true;' }],
    ...simulation,
  },
  {
    name: 'a restart adds to the balance what is in it already',
    seen: '#28247',
    file: 'src/adapters/sql/books.ts',
    changes: [
      {
        find: 'sumEntries(freshOf(batch, duplicates))',
        replace: 'sumEntries(batch.entries)',
      },
    ],
    tests: sqlite,
  },
  {
    name: 'spend is taken from the queue and lost when it cannot be written',
    seen: '#33872',
    file: 'src/adapters/ledger/flusher.ts',
    changes: [
      {
        find: 'return this.#books.apply(batch);',
        replace:
          'return this.#books.apply(batch).catch(() => ({\n' +
          '          duplicates: [],\n          accounts: [],\n        }));',
      },
    ],
    ...simulation,
  },
  {
    name: 'a budget begins anew only when a job says so',
    seen: 'market practice: a reset job that races, or does not run',
    file: 'src/adapters/ledger/accounts.ts',
    changes: [{ find: 'windowStart: window.start,', replace: 'windowStart: 0,' }],
    tests: contract,
  },
  {
    name: 'after a crash what was sent and not settled is free',
    seen: 'llmgateway#3443',
    file: 'src/adapters/ledger/recovery.ts',
    changes: [{ find: "charge === 'bound' ? bound : 0", replace: '0 * bound' }],
    tests: contract,
  },
  {
    name: 'after a crash the journal is not read',
    seen: 'market practice: spend that lives in memory between flushes',
    file: 'src/adapters/ledger/recovery.ts',
    changes: [{ find: 'of folder.owners()) {', replace: 'of folder.owners().slice(0, 0)) {' }],
    ...simulation,
  },
  {
    name: 'the journal of a replica that lives is replayed as if it were dead',
    seen: 'market practice: recovery that does not know who is alive',
    file: 'src/adapters/ledger/recovery.ts',
    changes: [{ find: 'if (!folder.claim(owner)) continue;', replace: 'folder.claim(owner);' }],
    tests: contract,
  },
  {
    name: 'a call to the store that is repeated takes effect twice',
    seen: '#35569',
    file: 'src/adapters/sql/books.ts',
    changes: [{ find: 'if (earlier !== undefined) return', replace: 'if (earlier === null) return' }],
    tests: sqlite,
  },
  {
    name: 'what a dead replica may have spent is given to others at once',
    seen: 'market practice: a counter that expires with its process',
    file: 'src/adapters/sql/book-arithmetic.ts',
    changes: [
      { find: '  account.spent += lease.amount;\n  lease.writtenOff = true;', replace: '  lease.writtenOff = true;' },
    ],
    tests: sqlite,
  },
  {
    name: 'accounts are reserved one after the other, without a way back',
    seen: '#33872: sequential counters',
    file: 'src/adapters/sql/book-arithmetic.ts',
    changes: [
      {
        find: 'if (want.cap - spent - leased >= want.need) continue;',
        replace: 'if (want.cap - spent - leased >= want.need || want !== wants[0]) continue;',
      },
    ],
    tests: sqlite,
  },
  {
    name: 'a cost above its bound is cut to the bound',
    seen: 'market practice: actual cost capped at the estimate',
    file: ledger,
    changes: [
      {
        find: 'account.pending += shareOf(account, record);',
        replace: 'account.pending += Math.min(shareOf(account, record), hold.bound);',
      },
    ],
    tests: contract,
  },
  {
    name: 'the hold stays when a request ends',
    seen: 'market practice: reservations that leak',
    file: ledger,
    changes: [{ find: 'for (const account of hold.accounts) account.held -= hold.bound;', replace: '' }],
    tests: contract,
  },
  {
    name: 'one level of the chain is not asked',
    seen: 'market practice: routes and levels that skip a check',
    file: 'src/gateway/limits/limits.ts',
    changes: [
      { find: 'if (settings.globalBudget !== null) budgets.push(settings.globalBudget);', replace: 'void settings;' },
    ],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'tags and end users have budgets that nobody asks',
    seen: 'market practice: routes and levels that skip a check',
    file: 'src/gateway/limits/limits.ts',
    changes: [{ find: '    budgets.push(...ofModel(tag.budgets, model));\n', replace: '' }],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'a claim on a rate limit is kept when the budget refuses',
    seen: 'market practice: limits that leak on failure',
    file: 'src/gateway/admit.ts',
    changes: [
      {
        find: '    if (rateReservation !== null) gateway.limiter.release(planned.id, rateReservation);\n',
        replace: '',
      },
    ],
    tests: ['src/gateway/admit.test.ts'],
  },
  {
    name: 'a parallel slot is never freed',
    seen: 'market practice: limits that leak on failure',
    file: 'src/adapters/memory/limiter.ts',
    changes: [{ find: '        counter.open -= amount;\n', replace: '' }],
    tests: ['src/gateway/pipeline.test.ts'],
  },
  {
    name: 'a request that is clamped gets less than there is room for',
    seen: 'invariant T3: a maximum of 256 whatever is left',
    file: 'src/gateway/admit.ts',
    changes: [
      {
        find: 'let room = roomIn(denial);',
        replace: 'let room = roomIn(denial);\n    room -= Math.floor(room / 4);',
      },
    ],
    ...simulation,
  },
  {
    name: 'whoever waited for money counts as waiting for ever',
    seen: 'invariant L4: the queue fills up until everybody is refused',
    file: 'src/adapters/ledger/admission.ts',
    changes: [{ find: 'this.#waiters -= 1;', replace: '' }],
    ...simulation,
  },
  {
    name: 'a model without a price is reachable under a hard budget',
    seen: '#27509',
    file: 'src/gateway/admit.ts',
    changes: [
      {
        find: 'hard !== undefined && (bound.unpriced !== null || bound.unbounded !== null)',
        replace: 'hard !== undefined && bound.unbounded !== null',
      },
    ],
    ...simulation,
  },
];
