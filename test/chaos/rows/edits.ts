import { createHash } from 'node:crypto';
import { audit } from '../audit.ts';
import { buy, crowd, makeTenant, type Purchase, type Tenant } from '../buyers.ts';
import { price } from '../price.ts';
import type { Replica } from '../replica.ts';
import { pause, type Row, seeded } from '../row.ts';

/** Sent before that much has passed since the answer of the change: either state may apply. */
const effectiveWithinMs = 1_000;
const wide = 1e12;

type Kind = 'cap lowered' | 'cap raised' | 'key moved' | 'key deleted' | 'configuration reloaded' | 'credit';
const kinds: readonly Kind[] = [
  'cap lowered',
  'cap raised',
  'key moved',
  'credit',
  'key deleted',
  'configuration reloaded',
];

interface Subject {
  readonly tenant: Tenant;
  readonly key: string;
  /** When the answer of the last change came. */
  since: number;
  isGone: boolean;
  /** What every answer must be from a second later on depends on it. */
  isLowered: boolean;
  /** What was done to it, for whoever must find out why something is wrong. */
  readonly history: string[];
}

interface Spot {
  readonly subject: Subject;
  readonly expected: number;
  readonly purchase: Purchase;
}

/** Promise 33: administrators change caps, teams, keys, the configuration and balances while requests run. */
export const editsRow: Row = {
  row: 33,
  promise: 'Edits in flight are safe',
  target:
    'books balanced, effective within 1 s on every replica, nothing negative or stuck, over 600 edits at 100 req/s',
  async run(rig, size) {
    const broken: string[] = [];
    const random = seeded(33);
    const edits = size === 'short' ? 12 : 600;
    const lengthMs = size === 'short' ? 3_500 : 120_000;
    const subjects: Subject[] = [];
    const add = async () => {
      const tenant = await makeTenant(rig, { key: wide, team: wide });
      subjects.push({ tenant, key: tenant.key, since: 0, isGone: false, isLowered: false, history: [] });
    };
    for (let number = 0; number < (size === 'short' ? 6 : 20); number++) await add();
    const teams = subjects.map(({ tenant }) => tenant.team);
    const done = new Map<Kind, number>();
    const spots: Spot[] = [];
    let isOver = false;

    const pick = (): Subject => subjects[Math.floor(random() * subjects.length)]!;
    const usable = (): Subject => {
      for (;;) {
        const one = pick();
        if (!one.isGone) return one;
      }
    };
    let live = false;
    const startedAt = performance.now();
    const load = crowd(rig, {
      clients: 10,
      pauseMs: 60,
      isOver: () => isOver,
      wish: () => {
        live = true;
        return { key: usable().key, maxTokens: 1 + Math.floor(random() * 20), stream: random() < 0.3 };
      },
    });
    const anyReplica = (): Replica => rig.replicas[Math.floor(random() * rig.replicas.length)]!;
    /** Half of the edits are looked at: a second later, on every replica. */
    const look = async (subject: Subject, expected: number) => {
      const { since } = subject;
      await pause(effectiveWithinMs);
      const answers = await Promise.all(
        rig.replicas.map((replica) => buy(rig, replica, { key: subject.key, model: price.exactModel, maxTokens: 2 })),
      );
      // Somebody changed it again meanwhile.
      if (subject.since !== since) return;
      for (const purchase of answers) spots.push({ subject, expected, purchase });
    };
    const looking: Promise<void>[] = [];
    const change = async (kind: Kind) => {
      const subject = usable();
      const { tenant } = subject;
      const admin = anyReplica();
      const now = () => performance.now();
      subject.since = now();
      switch (kind) {
        case 'cap lowered': {
          // Below what is spent: nothing more is sold.
          await admin.admin('/key/update', { key: subject.key, max_budget: 1e-9 });
          subject.isLowered = true;
          break;
        }
        case 'cap raised':
          await admin.admin('/key/update', { key: subject.key, max_budget: wide / 1e9 });
          subject.isLowered = false;
          break;
        case 'key moved':
          await admin.admin('/key/update', {
            key: subject.key,
            team_id: teams[Math.floor(random() * teams.length)],
          });
          break;
        case 'credit':
          await admin
            .admin('/budget/adjust', { scope: 'team', id: tenant.team, amount: 1e-9, reason: 'row 33' })
            .catch((cause: Error) => {
              // More than was spent cannot be given back.
              if (!/answered 4\d\d/.test(cause.message)) throw cause;
            });
          break;
        case 'key deleted': {
          await add();
          // Its account stays, and the audit compares it with the cap that it had last.
          await admin.admin('/key/update', { key: subject.key, max_budget: wide / 1e9 });
          await buy(rig, admin, { key: subject.key, maxTokens: 2 });
          await admin.admin('/key/delete', { keys: [subject.key] });
          subject.isGone = true;
          break;
        }
        case 'configuration reloaded':
          // Prices and routing are made anew while requests run.
          rig.replicas[0]!.setConfig(`${rig.config}\n# ${now()}\n`);
          break;
      }
      subject.since = now();
      subject.history.push(`${kind} at ${Math.round(subject.since)}`);
      done.set(kind, (done.get(kind) ?? 0) + 1);
      if (kind === 'cap lowered') looking.push(look(subject, 429));
      else if (kind === 'cap raised') looking.push(look(subject, 200));
      else if (kind === 'key deleted') looking.push(look(subject, 401));
      else if (kind === 'key moved') looking.push(look(subject, subject.isLowered ? 429 : 200));
    };
    for (let edit = 0; edit < edits; edit++) {
      await change(kinds[edit % kinds.length]!).catch(
        (cause: Error) => void broken.push(`an edit failed: ${cause.message}`),
      );
      await pause((random() * 2 * lengthMs) / edits);
    }
    await Promise.all(looking);
    isOver = true;
    const purchases = await load;
    const seconds = (performance.now() - startedAt) / 1_000;
    // What is above a cap that was lowered stays so; raised again, the audit can compare it.
    for (const subject of subjects) {
      if (!subject.isGone) await anyReplica().admin('/key/update', { key: subject.key, max_budget: wide / 1e9 });
    }
    await pause(effectiveWithinMs);
    for (const subject of subjects) {
      if (!subject.isGone) await buy(rig, anyReplica(), { key: subject.key, maxTokens: 2 });
    }
    const gone = new Set(
      subjects.filter(({ isGone }) => isGone).map(({ key }) => createHash('sha256').update(key).digest('hex')),
    );
    const isQuiet = await rig.calm();
    const books = await audit(rig);
    const negative = await rig.query('select key from accounts where spent < 0 or leased < 0');
    const wrong = spots.filter(({ expected, purchase }) => purchase.status !== expected);
    const strange = purchases.filter(({ status }) => ![200, 401, 429].includes(status ?? 0));
    // The cap of a key that was deleted while it was lowered stays below what was spent.
    const differences = books.differences.filter(
      (text) => !(/pass the cap/.test(text) && [...gone].some((id) => text.includes(id))),
    );
    broken.push(...differences);
    for (const { subject, expected, purchase } of wrong.slice(0, 5)) {
      const history = `asked at ${Math.round(purchase.startedAt)} after ${subject.history.join(', ')}`;
      broken.push(`${expected} expected, ${purchase.status}: ${purchase.body.slice(0, 100)} (${history})`);
    }
    for (const { status, body } of strange.slice(0, 3))
      broken.push(`an answer that is none of 200, 401, 429: ${status} ${body.slice(0, 200)}`);
    if (negative.length > 0) broken.push(`${negative.length} accounts are below nothing`);
    if (!isQuiet) broken.push('something is still held after the end');
    if (spots.length === 0 || !live) broken.push('nothing was looked at');
    return {
      figures: {
        edits: [...done].map(([kind, count]) => `${kind} ${count}`).join(', '),
        requests: purchases.length,
        'requests a second': Math.round(purchases.length / seconds),
        'looked at a second after an edit': spots.length,
        'of these, not as edited': wrong.length,
        'negative balances': negative.length,
        'audit differences': differences.length,
      },
      broken: broken.slice(0, 20),
    };
  },
};
