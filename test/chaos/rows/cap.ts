import { audit } from '../audit.ts';
import { buy, type Caps, makeTenant, type Purchase } from '../buyers.ts';
import { watchCaps } from '../cap-watch.ts';
import { billed, price } from '../price.ts';
import { type Row, seeded } from '../row.ts';

const clients = 300;
/** About what one request of this row costs: 30 tokens in, 20 out. It is held with three times as much. */
const meanCost = 30 * price.inputNanodollars + 20 * price.outputNanodollars;
const tight: readonly (keyof Caps)[] = ['key', 'team', 'organization', 'user'];

/** Promise 1: many clients at once run against a cap on the key, the team, the organization or the user, over all replicas. */
export const capRow: Row = {
  row: 1,
  promise: 'A hard cap is never exceeded, whatever the concurrency, over replicas',
  target: 'overspend 0 nano-dollars in 200 of 200 rounds of 300 clients; polls above the cap: 0',
  async run(rig, size) {
    const rounds = size === 'short' ? 2 : 200;
    const random = seeded(1);
    const watch = watchCaps(rig);
    const broken: string[] = [];
    let requests = 0;
    let sold = 0;
    let refused = 0;
    let overspend = 0;
    const stray: Purchase[] = [];
    const cap = meanCost * 100;
    const invoicedBefore = (await rig.upstream.invoice()).length;
    const spentBy: Purchase[][] = [];
    for (let round = 0; round < rounds; round++) {
      const { key } = await makeTenant(rig, { [tight[round % tight.length]!]: cap });
      const purchases = await Promise.all(
        Array.from({ length: clients }, (_, client) =>
          buy(rig, rig.replicas[client % rig.replicas.length]!, {
            key,
            maxTokens: 1 + Math.floor(random() * 40),
            stream: client % 2 === 0,
          }),
        ),
      );
      spentBy.push(purchases);
      requests += purchases.length;
      sold += purchases.filter(({ status }) => status === 200).length;
      refused += purchases.filter(({ status }) => status === 429).length;
      stray.push(...purchases.filter(({ status }) => status !== 200 && status !== 429));
    }
    const isQuiet = await rig.calm();
    await watch.stop();
    const owed = new Map<string, number>();
    for (const { reference, model, usage } of (await rig.upstream.invoice()).slice(invoicedBefore)) {
      owed.set(reference!, (owed.get(reference!) ?? 0) + billed(model, usage));
    }
    for (const purchases of spentBy) {
      const spent = purchases.reduce((all, { ref }) => all + (owed.get(ref) ?? 0), 0);
      overspend += Math.max(0, spent - cap);
    }
    const books = await audit(rig);
    if (overspend > 0) broken.push(`the provider billed ${overspend} nano-dollars above the caps`);
    broken.push(...watch.violations.slice(0, 3), ...books.differences);
    for (const { status, body } of stray.slice(0, 3))
      broken.push(`an answer that is neither 200 nor 429: ${status} ${body}`);
    if (!isQuiet) broken.push('something is still held after the end');
    if (sold === 0 || refused === 0) broken.push(`nothing was shown: ${sold} sold, ${refused} refused`);
    return {
      figures: {
        rounds,
        requests,
        sold,
        refused,
        'overspend (nano-dollars)': overspend,
        'polls above the cap': `${watch.violated} of ${watch.polls}`,
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};
