import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Books } from '../../src/core/books.ts';
import { percentileMs } from '../../src/core/latency-bins.ts';
import type { KeptObject } from '../../src/core/ports.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { AuditRecord, KeyRecord, ListQuery, Store, UsageDimension, UsageFilter } from '../../src/core/store.ts';
import { ConflictError } from '../../src/core/store.ts';
import { noUsage, totalInputTokens, totalOutputTokens, totalTokens } from '../../src/core/usage.ts';
import { account, entry, requestRecord } from './records.ts';

export interface OpenStore {
  readonly store: Store;
  readonly books: Books;
  close(): Promise<void>;
}

const key = (id: string, changes: Partial<KeyRecord> = {}): KeyRecord => ({
  id,
  name: `sk-...${id}`,
  alias: null,
  userId: null,
  teamId: null,
  organizationId: null,
  models: [],
  aliases: {},
  allowedRoutes: [],
  blocked: false,
  expiresAt: null,
  metadata: {},
  tags: [],
  replacedBy: null,
  temporaryIncrease: null,
  temporaryIncreaseUntil: null,
  lastActiveAt: null,
  maxBudget: null,
  softBudget: null,
  budgetDuration: null,
  rpmLimit: null,
  tpmLimit: null,
  maxParallelRequests: null,
  modelLimits: {},
  budgetId: null,
  createdAt: 1,
  updatedAt: 1,
  createdBy: null,
  updatedBy: null,
  extra: {},
  ...changes,
});

const audit = (id: string, changes: Partial<AuditRecord> = {}): AuditRecord => ({
  id,
  at: 1,
  actor: 'admin',
  actorKeyId: null,
  action: 'created',
  resource: 'key',
  objectId: 'k',
  before: null,
  after: { a: 1 },
  ...changes,
});

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

/** What every store must do. `open` makes an empty one. */
export function storeContract(name: string, open: () => Promise<OpenStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenStore;
    let store: Store;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    describe('changes', () => {
      const change = (id: string) => ({ scope: 'key', id });

      it('numbers them in the order of the commits, without gaps', async () => {
        expect(await store.changes.newest()).toBe(0);
        expect(await store.changes.since(0)).toEqual([]);
        await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            store.transaction(async ({ changes }) => changes.append([change(`a${index}`), change(`b${index}`)])),
          ),
        );
        expect(await store.changes.newest()).toBe(40);
        const all = (await store.changes.since(0))!;
        expect(all.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
        expect(new Set(ids(all)).size).toBe(40);
        for (let index = 0; index < 40; index += 2) expect(all[index]!.id.slice(1)).toBe(all[index + 1]!.id.slice(1));
        expect(ids((await store.changes.since(38))!)).toEqual(ids(all.slice(38)));
        expect(await store.changes.since(40)).toEqual([]);
      });

      it('says nothing of a transaction that was undone', async () => {
        const undone = store.transaction(async ({ changes }) => {
          await changes.append([change('lost')]);
          throw new Error('undo');
        });
        await expect(undone).rejects.toThrow('undo');
        await store.transaction(({ changes }) => changes.append([change('kept')]));
        expect(await store.changes.since(0)).toEqual([{ version: 1, scope: 'key', id: 'kept' }]);
      });

      it('keeps the newest, and admits that it has forgotten the oldest', async () => {
        for (let round = 0; round < 11; round++) {
          await store.transaction(({ changes }) =>
            changes.append(Array.from({ length: 1_000 }, (_, index) => change(`${round}/${index}`))),
          );
        }
        expect(await store.changes.since(0)).toBeNull();
        const kept = (await store.changes.since(1_000))!;
        expect(kept).toHaveLength(10_000);
        expect(kept.at(-1)).toEqual({ version: 11_000, scope: 'key', id: '10/999' });
      });
    });

    describe('kept objects', () => {
      const object = (id: string, changes: Partial<KeptObject> = {}): KeptObject => ({
        id,
        kind: 'answer',
        owner: 'key:k',
        parent: null,
        position: 1,
        body: '{"said":"世界"}',
        expiresAt: 1_000,
        ...changes,
      });

      it('are given back whole, replaced by their id, and listed by their parent in order', async () => {
        expect(await store.objects.get('a')).toBeUndefined();
        await store.objects.put([]);
        await store.objects.put([
          object('a'),
          object('c', { parent: 'a', position: 1_760_000_000_123_456 }),
          object('b', { parent: 'a', position: 2 }),
        ]);
        expect(await store.objects.get('a')).toEqual(object('a'));
        await store.objects.put([object('a', { body: '{}', expiresAt: 2_000 })]);
        expect(await store.objects.get('a')).toMatchObject({ body: '{}', expiresAt: 2_000, owner: 'key:k' });
        expect(ids(await store.objects.children('a'))).toEqual(['b', 'c']);
        expect(await store.objects.children('b')).toEqual([]);
      });

      it('go with what they belong to, and when their time is over', async () => {
        await store.objects.put([object('a'), object('b', { parent: 'a' }), object('c', { expiresAt: 5_000 })]);
        expect(await store.objects.remove([])).toBe(0);
        expect(await store.objects.remove(['a'])).toBe(2);
        await store.objects.put([object('d', { expiresAt: 4_000 })]);
        expect(await store.objects.removeExpired(4_000)).toBe(1);
        expect(await store.objects.get('d')).toBeUndefined();
        expect(await store.objects.get('c')).toBeDefined();
      });
    });

    describe('replicas', () => {
      it('counts the beats of each', async () => {
        expect(await store.replicas.beat('a')).toEqual([{ id: 'a', beats: 1 }]);
        await store.replicas.beat('b');
        const beats = await store.replicas.beat('a');
        expect([...beats].sort((one, other) => one.id.localeCompare(other.id))).toEqual([
          { id: 'a', beats: 2 },
          { id: 'b', beats: 1 },
        ]);
        await store.replicas.remove(['a']);
        expect(await store.replicas.beat('b')).toEqual([{ id: 'b', beats: 2 }]);
      });
    });

    describe('repositories', () => {
      it('gives back what was put in, nulls, flags, figures and JSON alike', async () => {
        const full = key('full', {
          alias: 'ünï "quoted" \\ 漢字',
          blocked: true,
          maxBudget: Number.MAX_SAFE_INTEGER,
          expiresAt: 0,
          models: ['a/b', '*', ''],
          aliases: { fast: 'slow' },
          metadata: { deep: [{ x: null, y: [true, 1.5, -0.25, 'z'] }], empty: {} },
          extra: { list: [] },
        });
        await store.keys.insert(full);
        await store.keys.insert(key('bare'));
        expect(await store.keys.get('full')).toEqual(full);
        expect(await store.keys.get('bare')).toEqual(key('bare'));
        expect(await store.keys.get('none')).toBeUndefined();
        await store.audit.insert(audit('a'));
        expect(await store.audit.get('a')).toEqual(audit('a'));
      });

      it('refuses figures that are not whole', async () => {
        await expect(store.keys.insert(key('k', { maxBudget: 0.5 }))).rejects.toThrow(/max_budget must be a whole/);
      });

      it('says which column is taken', async () => {
        await store.keys.insert(key('k', { alias: 'mine' }));
        const taken = async (work: Promise<unknown>) => work.catch((error: unknown) => error);
        const byId = await taken(store.keys.insert(key('k')));
        expect(byId).toBeInstanceOf(ConflictError);
        expect(byId).toMatchObject({ column: 'id' });
        expect(await taken(store.keys.insert(key('l', { alias: 'mine' })))).toMatchObject({ column: 'alias' });
        await store.keys.insert(key('m', { alias: 'other' }));
        expect(await taken(store.keys.update('m', { alias: 'mine' }))).toBeInstanceOf(ConflictError);
        await store.keys.insert(key('old', { alias: 'mine', replacedBy: 'k' }));
      });

      it('clears what is null and keeps what is left out', async () => {
        await store.keys.insert(key('k', { maxBudget: 5, rpmLimit: 0, metadata: { a: 1 } }));
        const after = await store.keys.update('k', { maxBudget: null, blocked: true, rpmLimit: undefined as never });
        expect(after).toEqual(key('k', { rpmLimit: 0, metadata: { a: 1 }, blocked: true }));
        expect(await store.keys.get('k')).toEqual(after);
        expect(await store.keys.update('k', {})).toEqual(after);
        expect(await store.keys.update('none', { blocked: true })).toBeUndefined();
      });

      it('removes and returns, and reads many', async () => {
        for (const id of ['a', 'b', 'c']) await store.keys.insert(key(id));
        expect(ids(await store.keys.many(['c', 'a', 'c', 'none'])).sort()).toEqual(['a', 'c']);
        expect(await store.keys.many([])).toEqual([]);
        expect(ids(await store.keys.remove(['a', 'c', 'none'])).sort()).toEqual(['a', 'c']);
        expect(await store.keys.remove([])).toEqual([]);
        expect(ids(await store.keys.list())).toEqual(['b']);
      });

      it('filters, searches, sorts and pages like a plain list', async () => {
        const rows = Array.from({ length: 23 }, (_, index) =>
          key(`k${String(index).padStart(2, '0')}`, {
            alias: index % 4 === 0 ? null : `Alias_${index % 7}%x`,
            teamId: index % 3 === 0 ? null : `team-${index % 3}`,
            replacedBy: 'x',
            blocked: index % 5 === 0,
            maxBudget: index % 6 === 0 ? null : index % 4,
          }),
        );
        for (const row of rows) await store.keys.insert(row);
        const queries: ListQuery<KeyRecord>[] = [
          {},
          { where: { teamId: null } },
          { where: { teamId: 'team-1', blocked: false } },
          { where: { teamId: ['team-1', 'team-2'], maxBudget: 3 } },
          { where: { id: [] } },
          { where: { id: ['k01', 'k02', 'zzz'] }, orderBy: 'id', descending: true },
          { like: { alias: 'aLiAs_3' } },
          { like: { alias: '%' } },
          { like: { alias: '_3' } },
          { orderBy: 'maxBudget' },
          { orderBy: 'maxBudget', descending: true },
          { orderBy: 'alias', offset: 5, limit: 7 },
          { orderBy: 'maxBudget', descending: true, offset: 20, limit: 7 },
          { offset: 22 },
          { limit: 0 },
        ];
        for (const query of queries) {
          expect({ query, ids: ids(await store.keys.list(query)) }).toEqual({
            query,
            ids: ids(plainList(rows, query)),
          });
          const { orderBy: _order, offset: _offset, limit: _limit, ...filter } = query;
          expect(await store.keys.count(filter)).toBe(plainList(rows, filter).length);
        }
      });

      it('takes names as data, whatever they hold', async () => {
        const hostile = `'; drop table keys; -- "x" \\`;
        await store.keys.insert(key(hostile, { alias: hostile }));
        expect(ids(await store.keys.list({ where: { alias: hostile } }))).toEqual([hostile]);
        expect(ids(await store.keys.list({ like: { alias: hostile } }))).toEqual([hostile]);
        await expect(store.keys.list({ orderBy: 'id; drop table keys' as never })).rejects.toThrow(RangeError);
      });
    });

    describe('transactions', () => {
      it('commits all or nothing, and sees its own writes', async () => {
        const result = await store.transaction(async ({ keys, audit: log }) => {
          await keys.insert(key('k'));
          await log.insert(audit('a'));
          expect(await keys.get('k')).toBeDefined();
          return 'done';
        });
        expect(result).toBe('done');
        expect(await store.keys.get('k')).toBeDefined();
        const failing = store.transaction(async ({ keys, audit: log }) => {
          await keys.update('k', { blocked: true });
          await keys.insert(key('l'));
          await log.insert(audit('a'));
        });
        await expect(failing).rejects.toBeInstanceOf(ConflictError);
        expect(await store.keys.get('k')).toMatchObject({ blocked: false });
        expect(await store.keys.get('l')).toBeUndefined();
        await store.keys.insert(key('m'));
      });

      it('keeps concurrent writers apart', async () => {
        await store.settings.insert({
          id: 'n',
          value: { n: 0 },
          createdAt: 1,
          updatedAt: 1,
          createdBy: null,
          updatedBy: null,
          extra: {},
        });
        const work = Array.from({ length: 64 }, (_, index) =>
          index % 4 === 0
            ? store.keys.insert(key(`k${index}`))
            : store.transaction(async ({ settings }) => {
                const row = (await settings.get('n'))!;
                await settings.update('n', { value: { n: (row.value.n as number) + 1 } });
              }),
        );
        await Promise.all(work);
        expect((await store.settings.get('n'))?.value).toEqual({ n: 48 });
        expect(await store.keys.count()).toBe(16);
      });
    });

    describe('accounts', () => {
      it('lists the latest window of each account of a scope', async () => {
        const windows = [100, 200].map((windowStart) => account('team', 't', { duration: '1d', windowStart, cap: 9 }));
        const model = account('team', 't', { model: 'm' });
        const other = account('team', 'u');
        for (const [index, spec] of [...windows, model, other, account('key', 't')].entries()) {
          const record = requestRecord(`r${index}`);
          await opened.books.apply({ processId: 'p', entries: [{ record, accounts: [entry(spec, index + 1)] }] });
        }
        const rows = await store.accounts.ofScope('team', ['t', 'none']);
        expect(rows.map((row) => [row.model, row.windowStart, row.spent]).sort()).toEqual([
          ['', 200, 2],
          ['m', 0, 3],
        ]);
        expect(await store.accounts.ofScope('team', [])).toEqual([]);
        expect((await store.accounts.balances(windows)).map(({ spent }) => spent).sort()).toEqual([1, 2]);
      });
    });

    describe('usage', () => {
      const record = async (...records: RequestRecord[]) => {
        await opened.books.apply({ processId: 'p', entries: records.map((one) => ({ record: one, accounts: [] })) });
      };

      it('gives back the whole record', async () => {
        const full = requestRecord('full', {
          status: 'failure',
          httpStatus: 502,
          errorCode: 'upstream_error',
          errorMessage: 'broke',
          keyId: 'k',
          keyAlias: 'alias',
          userId: 'u',
          teamId: 't',
          organizationId: 'o',
          endUserId: 'e',
          tags: ['x', 'y'],
          sessionId: 's',
          traceId: 'tr',
          clientAddress: '::1',
          stream: true,
          cacheHit: true,
          cacheKey: 'c',
          usage: { ...noUsage, inputTokens: 3, reasoningTokens: 2, providerCost: 5, serviceTier: 'flex' },
          cost: 12,
          bound: 40,
          priceSource: 'catalogue',
          firstTokenAt: 1_700_000_000_500,
          attempts: [
            {
              deploymentId: 'd',
              group: 'g',
              provider: 'p',
              model: 'm',
              startedAt: 1,
              durationMs: 2.5,
              status: null,
              result: 'upstream_connection',
              ambiguous: true,
              charged: 7,
            },
          ],
          metadata: { any: ['thing'] },
          requestText: 'q',
          responseText: 'a',
        });
        const bare = requestRecord('bare', {
          modelAsked: null,
          modelGroup: null,
          deploymentId: null,
          provider: null,
          modelUsed: null,
          apiBase: null,
          finishReason: null,
        });
        await record(full, bare);
        expect(await store.usage.get('full')).toEqual(full);
        expect(await store.usage.get('bare')).toEqual(bare);
        expect(await store.usage.get('none')).toBeUndefined();
      });

      it('keeps the first of two records with one id', async () => {
        await record(requestRecord('r', { cost: 1, tags: ['a'] }));
        await record(requestRecord('r', { cost: 2, tags: ['b'] }));
        expect(await store.usage.get('r')).toMatchObject({ cost: 1, tags: ['a'] });
        expect(await store.usage.summarize({}, [])).toMatchObject([{ requests: 1, cost: 1 }]);
        expect(await store.usage.summarize({}, ['tag'])).toMatchObject([{ group: { tag: 'a' } }]);
      });

      it('sums nothing to one row of zeros', async () => {
        expect(await store.usage.summarize({}, [])).toEqual([
          {
            group: {},
            requests: 0,
            successes: 0,
            failures: 0,
            inputTokens: 0,
            outputTokens: 0,
            cacheReadTokens: 0,
            cacheWriteTokens: 0,
            cost: 0,
          },
        ]);
        expect(await store.usage.summarize({}, ['day'])).toEqual([]);
      });

      it('lists, counts and sums like a loop over all records', async () => {
        const [records] = fc.sample(fc.array(anyRecord, { minLength: 60, maxLength: 60 }), { numRuns: 1, seed: 7 });
        // Each three times, so that the daily sums really add up.
        const all = [...records!, ...records!, ...records!].map((one, index) => ({ ...one, id: `r${index}` }));
        await record(...all);
        const questions = fc.sample(fc.tuple(anyFilter, anyDimensions), { numRuns: 80, seed: 11 });
        for (const [index, [filter, by]] of questions.entries()) {
          // Days that are over are kept by the day only.
          if (index === 40) expect(await store.usage.fold(2 * dayMs)).toBeGreaterThan(10);
          const wanted = all.filter((one) => plainMatch(one, filter));
          expect({ filter, count: await store.usage.count(filter) }).toEqual({ filter, count: wanted.length });
          const page = await store.usage.list(filter, { offset: 2, limit: 5, orderBy: 'cost', descending: false });
          const sorted = wanted.sort((one, other) => one.cost - other.cost || (one.id < other.id ? -1 : 1));
          expect(ids(page)).toEqual(ids(sorted.slice(2, 7)));
          const summary = await store.usage.summarize(filter, by);
          expect({ filter, by, sums: canonical(summary) }).toEqual({
            filter,
            by,
            sums: canonical(plainSummary(wanted, filter, by)),
          });
        }
      });

      it('measures times from sums, also of days that were folded and hours that came late', async () => {
        const one = (id: string, changes: Partial<RequestRecord>) =>
          requestRecord(id, { startedAt: dayMs, endedAt: dayMs + 100, attempts: [attempt('g')], ...changes });
        await record(
          one('quick', { overheadMs: 1.5 }),
          one('slow', { endedAt: dayMs + 20_000, stream: true, firstTokenAt: dayMs + 300, endUserId: 'e' }),
          one('elsewhere', { attempts: [attempt('g'), attempt('h')], tags: ['x'] }),
          one('cached', { attempts: [], cacheHit: true }),
          one('failed', { status: 'failure' }),
        );
        const [before] = (await store.usage.measure({}, []))!;
        expect(before).toMatchObject({ requests: 5, cacheHits: 1, attempts: 5, fallbacks: 1, overheadMs: 3.5 });
        expect(before).toMatchObject({ durationMs: 20_400, failures: 1, successes: 4 });
        const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
        expect([total(before!.latency), total(before!.firstToken)]).toEqual([3, 1]);
        expect(percentileMs(before!.latency, 1)).toBeGreaterThan(15_000);
        expect(percentileMs(before!.firstToken, 0.5)).toBeGreaterThan(200);
        expect(await store.usage.fold(dayMs)).toBe(0);
        expect(await store.usage.fold(3 * dayMs)).toBe(1);
        expect(await store.usage.measure({}, [])).toEqual([before]);
        await record(one('late', {}));
        const [after] = (await store.usage.measure({ from: dayMs, to: 2 * dayMs }, []))!;
        expect(after).toMatchObject({ requests: 6, attempts: 6 });
        expect(await store.usage.fold(3 * dayMs)).toBe(1);
        expect(await store.usage.measure({}, [])).toEqual([after]);
        expect(await store.usage.measure({ from: dayMs, to: dayMs + 3_600_000 }, [])).toBeNull();
        expect(await store.usage.measure({ errorCode: 'x' }, [])).toBeNull();
        expect(await store.usage.measure({ tag: 'x' }, [])).toMatchObject([{ requests: 1, fallbacks: 1 }]);
        expect(await store.usage.measure({}, ['endUserId'])).toMatchObject([
          { group: { endUserId: null }, requests: 5 },
          { group: { endUserId: 'e' }, requests: 1, durationMs: 20_000 },
        ]);
      });

      it('knows hours that are over by the hour and in their days, also what comes late, until their day is too old', async () => {
        const hourMs = dayMs / 24;
        const one = (id: string, hour: number, changes: Partial<RequestRecord> = {}) =>
          requestRecord(id, { startedAt: 20 * dayMs + hour * hourMs, keyId: 'k', cost: 1, ...changes });
        const asked = async (range: UsageFilter = {}) => ({
          days: await store.usage.measure(range, ['day']),
          keys: await store.usage.measure(range, ['keyId', 'status']),
          teams: await store.usage.measure(range, ['teamId', 'modelGroup']),
          hours: await store.usage.measure({ ...range, from: 20 * dayMs, keyId: 'k' }, ['hour']),
        });
        await record(one('a', 1), one('b', 1, { modelGroup: 'other' }), one('c', 2, { keyId: 'l' }), one('d', 5));
        const before = await asked();
        expect(before.keys).toMatchObject([{ requests: 3 }, { requests: 1 }]);
        expect(before.hours).toMatchObject([
          { group: { hour: '1970-01-21T01:00:00Z' }, requests: 2 },
          { group: { hour: '1970-01-21T05:00:00Z' }, requests: 1 },
        ]);
        // Hours 1 and 2 are over; the day is kept by the hour.
        expect(await store.usage.fold(20 * dayMs, 20 * dayMs + 3 * hourMs)).toBe(2);
        expect(await asked()).toEqual(before);
        await record(one('late', 1));
        const later = await asked();
        expect(later.hours).toMatchObject([{ requests: 3 }, { requests: 1 }]);
        expect(await store.usage.fold(20 * dayMs, 20 * dayMs + 3 * hourMs)).toBe(1);
        expect(await asked()).toEqual(later);
        // No longer by the hour, and never half of it.
        await store.usage.fold(21 * dayMs);
        const { hours, ...rest } = await asked();
        expect([rest, hours]).toEqual([{ days: later.days, keys: later.keys, teams: later.teams }, null]);
        await record(one('very late', 1));
        await store.usage.fold(21 * dayMs, 22 * dayMs);
        expect((await asked()).hours).toBeNull();
        expect((await asked()).days).toMatchObject([{ requests: 6 }]);
      });

      it('sums keys and teams over whole weeks and the days around them as over single days', async () => {
        const records = Array.from({ length: 60 }, (_, index) =>
          requestRecord(`w${index}`, {
            startedAt: index * dayMs + index,
            keyId: `k${index % 3}`,
            teamId: index % 2 === 0 ? 'red' : null,
            status: index % 5 === 0 ? 'failure' : 'success',
            modelGroup: `m${index % 4}`,
            cost: index,
          }),
        );
        await record(...records);
        await store.usage.fold(50 * dayMs, 55 * dayMs);
        const edges = [0, 3, 6, 7, 8, 14, 27, 49, 56, 60].map((day) => day * dayMs);
        for (const [from, to] of edges.flatMap((one) => [undefined, ...edges].map((other) => [one, other] as const))) {
          if (to !== undefined && to <= from) continue;
          const range = { from, ...(to !== undefined && { to }) };
          for (const by of [['keyId'], ['teamId', 'status'], ['keyId', 'day']] as const) {
            const wanted = canonical(
              plainSummary(
                records.filter((one) => plainMatch(one, range)),
                range,
                by,
              ),
            );
            const sums = canonical(await store.usage.summarize(range, by));
            expect({ from: from / dayMs, to, by, sums }).toEqual({ from: from / dayMs, to, by, sums: wanted });
          }
        }
      });

      it('pages through the requests of one tag, alone and with other filters', async () => {
        const tagged = Array.from({ length: 9 }, (_, index) =>
          requestRecord(`t${index}`, {
            startedAt: dayMs + Math.floor(index / 2),
            tags: index % 3 === 0 ? ['other'] : ['x', 'other'],
            keyId: index % 2 === 0 ? 'k' : null,
          }),
        );
        await record(...tagged);
        for (const filter of [{ tag: 'x' }, { tag: 'x', keyId: 'k' }, { tag: 'x', from: dayMs + 1, to: dayMs + 4 }]) {
          const wanted = tagged.filter((one) => plainMatch(one, filter)).reverse();
          const seen: string[] = [];
          let after: { startedAt: number; id: string } | undefined;
          for (;;) {
            const page = await store.usage.list(filter, {
              offset: 0,
              limit: 2,
              ...(after === undefined ? {} : { after }),
            });
            if (page.length === 0) break;
            expect(page).toEqual(wanted.slice(seen.length, seen.length + 2));
            seen.push(...ids(page));
            after = page.at(-1);
          }
          expect(seen).toEqual(ids(wanted));
        }
      });

      it('sorts by time, newest first, unless told otherwise', async () => {
        const timed = (id: string, startedAt: number, tokens: number) =>
          requestRecord(id, { startedAt, endedAt: startedAt + tokens, usage: { ...noUsage, outputTokens: tokens } });
        await record(timed('a', 1, 30), timed('b', 3, 10), timed('c', 2, 20));
        const page = { offset: 0, limit: 9 };
        expect(ids(await store.usage.list({}, page))).toEqual(['b', 'c', 'a']);
        expect(ids(await store.usage.list({}, { ...page, descending: false }))).toEqual(['a', 'c', 'b']);
        expect(ids(await store.usage.list({}, { ...page, orderBy: 'totalTokens' }))).toEqual(['a', 'c', 'b']);
        expect(ids(await store.usage.list({}, { ...page, orderBy: 'endedAt' }))).toEqual(['a', 'c', 'b']);
      });

      it('removes rows by age and still knows the sums of their days', async () => {
        const old = Array.from({ length: 600 }, (_, index) =>
          requestRecord(`old${index}`, { startedAt: 1_000, endedAt: 2_000 + index, cost: 1, tags: ['x'], keyId: 'k' }),
        );
        await record(...old, requestRecord('long', { startedAt: 1_000, endedAt: 90_000, cost: 5 }));
        expect(await store.usage.removeBefore(2_599)).toBe(599);
        expect(ids(await store.usage.list({}, { offset: 0, limit: 9 })).sort()).toEqual(['long', 'old599']);
        expect(await store.usage.count({ tag: 'x' })).toBe(1);
        expect(await store.usage.summarize({}, ['keyId'])).toMatchObject([
          { group: { keyId: null }, cost: 5 },
          { group: { keyId: 'k' }, requests: 600, cost: 600 },
        ]);
      });
    });

    it('answers a ping until it is closed, and then refuses clearly', async () => {
      await store.ping();
      await store.close();
      await expect(store.ping()).rejects.toThrow(/closed/);
      await expect(store.keys.get('k')).rejects.toThrow(/closed/);
      await store.close();
    });
  });
}

/** What `list` promises, over an array. */
function plainList(rows: readonly KeyRecord[], query: ListQuery<KeyRecord>): KeyRecord[] {
  const matches = (row: KeyRecord) =>
    Object.entries(query.where ?? {}).every(([column, wanted]) => {
      const value = row[column as keyof KeyRecord];
      return Array.isArray(wanted) ? (wanted as unknown[]).includes(value) : value === wanted;
    }) &&
    Object.entries(query.like ?? {}).every(([column, text]) =>
      String(row[column as keyof KeyRecord] ?? '')
        .toLowerCase()
        .includes(text!.toLowerCase()),
    );
  const direction = query.descending ? -1 : 1;
  const { orderBy } = query;
  const compare = (one: KeyRecord, other: KeyRecord) => {
    const [a, b] = orderBy === undefined ? [null, null] : [one[orderBy], other[orderBy]];
    if (a === b) return one.id < other.id ? -direction : direction;
    if (a === null) return -direction;
    if (b === null) return direction;
    return (a as number) < (b as number) ? -direction : direction;
  };
  const offset = query.offset ?? 0;
  return rows
    .filter(matches)
    .sort(compare)
    .slice(offset, query.limit === undefined ? undefined : offset + query.limit);
}

const dayMs = 86_400_000;
const oneOf = <Value>(...values: Value[]) => fc.constantFrom(...values);
const attempt = (group: string) => ({
  deploymentId: 'd',
  group,
  provider: 'p',
  model: 'm',
  startedAt: 0,
  durationMs: 1,
  status: 200,
  result: 'success',
  ambiguous: false,
  charged: 0,
});

const anyRecord: fc.Arbitrary<RequestRecord> = fc
  .record({
    startedAt: fc.integer({ min: 0, max: 4 * dayMs }),
    status: oneOf<RequestRecord['status']>('success', 'failure', 'denied', 'aborted'),
    errorCode: oneOf(null, 'rate_limited'),
    keyId: oneOf(null, 'k1', 'k2'),
    userId: oneOf(null, 'u1'),
    teamId: oneOf(null, 't1', 't2'),
    organizationId: oneOf(null, 'o1'),
    endUserId: oneOf(null, 'e1'),
    tags: fc.uniqueArray(oneOf('x', 'y', 'z'), { maxLength: 2 }),
    sessionId: oneOf(null, 's1'),
    modelUsed: oneOf(null, 'm1', 'm2'),
    modelGroup: oneOf('g1', 'g2'),
    deploymentId: oneOf('d1', 'd2'),
    provider: oneOf('p1', 'p2'),
    path: oneOf('/v1/chat/completions', '/v1/embeddings'),
    cost: fc.integer({ min: 0, max: 5_000 }),
    usage: fc.record({
      inputTokens: fc.nat(500),
      cacheReadTokens: fc.nat(50),
      cacheWriteTokens: fc.nat(50),
      cacheWriteLongTokens: fc.nat(50),
      outputTokens: fc.nat(500),
      reasoningTokens: fc.nat(50),
    }),
  })
  .map(({ usage, ...rest }) =>
    requestRecord('', { ...rest, endedAt: rest.startedAt + 5, usage: { ...noUsage, ...usage } }),
  );

const anyTime = fc.oneof(
  fc.integer({ min: 0, max: 4 }).map((day) => day * dayMs),
  fc.integer({ min: 0, max: 4 * dayMs }),
);
const anyFilter: fc.Arbitrary<UsageFilter> = fc
  .record(
    {
      from: anyTime,
      to: anyTime,
      keyId: oneOf('k1', 'k3'),
      userId: fc.constant('u1'),
      teamId: oneOf('t1', 't2'),
      organizationId: fc.constant('o1'),
      endUserId: fc.constant('e1'),
      tag: oneOf('x', 'y'),
      model: oneOf('m1', 'm2'),
      modelGroup: oneOf('g1'),
      deploymentId: oneOf('d1'),
      provider: oneOf('p1'),
      status: oneOf('success', 'failure'),
      errorCode: fc.constant('rate_limited'),
      sessionId: fc.constant('s1'),
      costMin: fc.nat(2_000),
      costMax: fc.integer({ min: 2_000, max: 5_000 }),
    },
    { requiredKeys: [] },
  )
  // Few filters at a time, so that something is left.
  .chain((filter) => fc.subarray(Object.entries(filter), { maxLength: 3 }).map((kept) => Object.fromEntries(kept)));

const dimensions: UsageDimension[] = [
  'hour',
  'day',
  'keyId',
  'userId',
  'teamId',
  'organizationId',
  'endUserId',
  'tag',
  'modelUsed',
  'modelGroup',
  'provider',
  'deploymentId',
  'status',
  'path',
];
const anyDimensions = fc.subarray(dimensions, { maxLength: 3 });

function plainMatch(record: RequestRecord, filter: UsageFilter): boolean {
  const { from, to, tag, model, costMin, costMax, ...equal } = filter;
  return (
    (from === undefined || record.startedAt >= from) &&
    (to === undefined || record.startedAt < to) &&
    (tag === undefined || record.tags.includes(tag)) &&
    (model === undefined || record.modelUsed === model) &&
    (costMin === undefined || record.cost >= costMin) &&
    (costMax === undefined || record.cost <= costMax) &&
    Object.entries(equal).every(([field, wanted]) => record[field as keyof RequestRecord] === wanted)
  );
}

function plainSummary(records: readonly RequestRecord[], filter: UsageFilter, by: readonly UsageDimension[]) {
  const sums = new Map<string, { group: Record<string, string | null>; [figure: string]: unknown }>();
  const empty = (group: Record<string, string | null>) => ({
    group,
    requests: 0,
    successes: 0,
    failures: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cost: 0,
  });
  if (by.length === 0) sums.set('{}', empty({}));
  for (const record of records) {
    const tags = by.includes('tag')
      ? record.tags.filter((tag) => filter.tag === undefined || tag === filter.tag)
      : [null];
    for (const tag of tags) {
      const group: Record<string, string | null> = {};
      for (const dimension of by) {
        if (dimension === 'tag') group.tag = tag;
        else if (dimension === 'hour') group.hour = `${new Date(record.startedAt).toISOString().slice(0, 13)}:00:00Z`;
        else if (dimension === 'day') group.day = new Date(record.startedAt).toISOString().slice(0, 10);
        else group[dimension] = record[dimension];
      }
      const id = JSON.stringify(group);
      const sum = (sums.get(id) ?? empty(group)) as ReturnType<typeof empty>;
      const { usage } = record;
      expect(totalTokens(usage)).toBe(totalInputTokens(usage) + totalOutputTokens(usage));
      sum.requests += 1;
      if (record.status === 'success') sum.successes += 1;
      else sum.failures += 1;
      sum.inputTokens += totalInputTokens(usage);
      sum.outputTokens += totalOutputTokens(usage);
      sum.cacheReadTokens += usage.cacheReadTokens;
      sum.cacheWriteTokens += usage.cacheWriteTokens + usage.cacheWriteLongTokens;
      sum.cost += record.cost;
      sums.set(id, sum);
    }
  }
  return [...sums.values()];
}

function canonical(sums: readonly object[]): string[] {
  return sums.map((sum) => JSON.stringify(sum)).sort();
}
