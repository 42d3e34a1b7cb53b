import { createHash } from 'node:crypto';
import { audit } from '../audit.ts';
import { buy, makeTenant } from '../buyers.ts';
import { price } from '../price.ts';
import type { Row } from '../row.ts';

/** Promise 6: everything that the rows before this one left, and a key that was rotated in between. */
export const balanceRow: Row = {
  row: 6,
  promise: 'The books balance',
  target: 'difference 0 nano-dollars by key, user, team, organization, model, tag and day; rows without an owner 0',
  async run(rig, size) {
    const broken: string[] = [];
    const cap = 1_000 * price.outputNanodollars;
    const rotations = size === 'short' ? 2 : 50;
    let { key } = await makeTenant(rig, { key: cap, team: cap * 2 });
    const first = idOf(key);
    for (let rotation = 0; rotation < rotations; rotation++) {
      for (const replica of rig.replicas) {
        const { status } = await buy(rig, replica, { key, model: price.exactModel, maxTokens: 5 });
        if (status !== 200) broken.push(`a request with the key of rotation ${rotation} was answered ${status}`);
      }
      const made = await rig.replicas[0]!.admin('/key/regenerate', { key });
      key = String(made.key);
      rig.accountOfKey.set(idOf(key), first);
    }
    // The successor goes on in the same account: what its predecessors spent is gone for it, too.
    const spent = rotations * rig.replicas.length * 5;
    const tooMuch = await buy(rig, rig.replicas[1]!, { key, model: price.exactModel, maxTokens: 1_000 - spent + 1 });
    if (tooMuch.status !== 429) broken.push(`a rotated key got a new budget: ${tooMuch.status}`);

    const isQuiet = await rig.calm();
    const books = await audit(rig);
    if (!isQuiet || books.held !== 0) broken.push(`${books.held} nano-dollars are held although nothing is under way`);
    broken.push(...books.differences);
    return {
      figures: {
        'audit differences': `${books.differences.length} over ${books.rows} rows and ${books.accounts} accounts`,
        'recorded (nano-dollars)': books.recorded,
        'invoiced (nano-dollars)': books.invoiced,
        'held when quiet (nano-dollars)': books.held,
      },
      broken,
    };
  },
};

/** Keys are known to the store by their hash. */
function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
