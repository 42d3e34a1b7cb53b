import { audit } from '../audit.ts';
import { buy, crowd, makeTenant, type Purchase } from '../buyers.ts';
import { price } from '../price.ts';
import { type Row, seeded, sum } from '../row.ts';

/*
 * On the exact model a request costs what it is held with, and every answer is whole: what is spent and held never
 * shrinks. So everything admitted before a refusal came back is the most that can have stood in its way.
 */

const costOf = ({ maxTokens }: Purchase) => maxTokens * price.outputNanodollars;

/** Refusals for which there was room, however the requests overlapped. */
export function unjustified(purchases: readonly Purchase[], cap: number): Purchase[] {
  const sold = purchases.filter(({ status }) => status === 200);
  return purchases.filter((refused) => {
    if (refused.status !== 429) return false;
    const before = sum(sold.filter(({ startedAt }) => startedAt < refused.endedAt).map(costOf));
    return before + costOf(refused) <= cap;
  });
}

/** Promise 4: spend to the end, one after the other and all at once, and check every refusal. */
export const refusalsRow: Row = {
  row: 4,
  promise: 'No false refusal; the budget is usable to its end',
  target: 'unjustified refusals 0 of 100,000; used at least 99 % one by one, 95 % by 50 at once',
  async run(rig, size) {
    const rounds = size === 'short' ? 1 : 100;
    const random = seeded(4);
    const broken: string[] = [];
    const wrong: Purchase[] = [];
    let refusals = 0;
    let stray = 0;
    const used: Record<'serial' | 'concurrent', number[]> = { serial: [], concurrent: [] };
    for (let round = 0; round < rounds; round++) {
      for (const way of ['serial', 'concurrent'] as const) {
        // 200 requests of one size use a cap to the last nano-dollar; sizes at random leave less than the smallest of them.
        const cap = (way === 'serial' ? 60 : 400) * 10 * price.outputNanodollars;
        const { key } = await makeTenant(rig, { key: cap, team: cap });
        const purchases: Purchase[] = [];
        if (way === 'serial') {
          for (let turn = 0; turn < 70; turn++) {
            const replica = rig.replicas[turn % rig.replicas.length]!;
            purchases.push(await buy(rig, replica, { key, model: price.exactModel, maxTokens: 10 }));
          }
        } else {
          const ends = Array.from({ length: 50 }, () => 10 + Math.floor(random() * 4));
          purchases.push(
            ...(await crowd(rig, {
              clients: 50,
              wish: (client, turn) =>
                turn < ends[client]!
                  ? { key, model: price.exactModel, maxTokens: 1 + ((client + turn * 7) % 19) }
                  : null,
            })),
          );
        }
        refusals += purchases.filter(({ status }) => status === 429).length;
        stray += purchases.filter(({ status }) => status !== 429 && status !== 200).length;
        wrong.push(...unjustified(purchases, cap));
        used[way].push(sum(purchases.filter(({ status }) => status === 200).map(costOf)) / cap);
      }
    }
    const isQuiet = await rig.calm();
    const books = await audit(rig);
    const [serial, concurrent] = [Math.min(...used.serial), Math.min(...used.concurrent)];
    for (const { body } of wrong.slice(0, 3)) broken.push(`refused although it fits: ${body}`);
    if (stray > 0) broken.push(`${stray} answers are neither 200 nor 429`);
    if (serial < 0.99) broken.push(`only ${percent(serial)} of a cap were used one by one`);
    if (concurrent < 0.95) broken.push(`only ${percent(concurrent)} of a cap were used by 50 at once`);
    if (refusals === 0) broken.push('nothing was refused, so nothing was shown');
    if (!isQuiet) broken.push('something is still held after the end');
    broken.push(...books.differences);
    return {
      figures: {
        'unjustified refusals': `${wrong.length} of ${refusals}`,
        'least used, one by one': percent(serial),
        'least used, 50 at once': percent(concurrent),
        'audit differences': books.differences.length,
      },
      broken,
    };
  },
};

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
