import type { Script } from '../../fake-provider/script.ts';
import { rateLimited, serverError } from '../../fake-provider/scripts.ts';
import { audit } from '../audit.ts';
import { crowd, makeTenant } from '../buyers.ts';
import { billed, price } from '../price.ts';
import { type Row, seeded, sum } from '../row.ts';

const clients = 16;
const text = 'word '.repeat(60);

/** One well-behaved answer in three. */
function script(random: () => number, billUnfinished: 'produced' | 'full'): Script {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const usual: Script = { text, delayBeforeHeadersMs: Math.floor(random() * 10) };
  if (random() < 0.33) return usual;
  const event = { event: Math.floor(random() * 20) };
  const byte = { byte: Math.floor(random() * 3_000) };
  return {
    ...usual,
    billUnfinished,
    ...pick<Script>([
      serverError(pick([500, 502, 503])),
      rateLimited(),
      { reset: 'before-headers' },
      { fin: 'before-headers' },
      { reset: event },
      { reset: byte },
      { fin: event },
      { fin: byte },
      // A provider that says itself that it failed does not bill.
      { errorAtEvent: event.event, billUnfinished: 'nothing' },
      // Longer than the patience of the request: given up, and billed all the same.
      { delayBeforeHeadersMs: 700 },
      { delayBeforeFirstByteMs: 700 },
    ]),
  };
}

interface UsageRow {
  readonly id: string;
  readonly status: string;
  readonly cost: string;
  readonly breach: boolean;
  readonly attempts: readonly { readonly ambiguous: boolean }[];
}

/** Promise 10: providers that fail in every way, retries and fallbacks, and a cap that all of it must fit. */
export const attemptsRow: Row = {
  row: 10,
  promise: 'Retries and fallbacks are paid once each and never hidden',
  target:
    'attempts on record = dispatches on the invoice, 100 % of 20,000 requests; what is held covers every one that may be billed',
  async run(rig, size) {
    const broken: string[] = [];
    const random = seeded(10);
    const requests = size === 'short' ? 320 : 20_000;
    const cap = size === 'short' ? 40_000_000 : 4_000_000_000;
    const { key } = await makeTenant(rig, { key: cap, team: cap });
    const refs = new Set<string>();
    let next = 0;
    // First providers that bill what they produced, then one that goes on, and bills all of it.
    const halves = [
      { model: price.model, fallback: price.messagesModel, billUnfinished: 'produced' },
      { model: price.holdModel, fallback: price.holdModel, billUnfinished: 'full' },
    ] as const;
    const purchases = await crowd(rig, {
      clients,
      wish: (client, turn) => {
        if (next++ >= requests) return null;
        const ref = `try${rig.next()}`;
        refs.add(ref);
        // A script for each attempt, as far as that can be known.
        const { model, fallback, billUnfinished } = halves[next <= requests / 2 ? 0 : 1]!;
        void rig.upstream.enqueue(script(random, billUnfinished), script(random, billUnfinished));
        return {
          key,
          ref,
          model,
          maxTokens: 10 + ((client * 7 + turn) % 40),
          stream: (client + turn) % 2 === 0,
          body: { num_retries: 2, fallbacks: [fallback], timeout: 0.4 },
        };
      },
    });
    await fetch(`${rig.upstream.url}/_fake/reset`, { method: 'POST' });
    if (!(await rig.calm())) broken.push('something is still held after the end');
    const rows = await rig.query<UsageRow>(
      `select id, status, cost, coalesce((detail::jsonb -> 'metadata' ->> 'bound_breach')::boolean, false) as breach,
              detail::jsonb -> 'attempts' as attempts
       from usage where id like 'try%'`,
    );
    const invoice = (await rig.upstream.invoice()).filter(({ reference }) => refs.has(reference ?? ''));
    const sent = Map.groupBy(invoice, ({ reference }) => reference!);
    const books = await audit(rig);
    const owed = sum(invoice.map(({ model, usage }) => billed(model, usage)));
    const beyond = rows.filter(({ breach }) => breach);
    const attempts = sum(rows.map((row) => row.attempts.length));
    const several = rows.filter((row) => row.attempts.length > 1);
    const ambiguous = rows.filter((row) => row.attempts.some((one) => one.ambiguous)).length;
    const uncovered = rows.filter(({ id, cost, status }) => {
      const entries = sent.get(id.split('.')[0]!) ?? [];
      // What had arrived is what is charged when a stream of the first kind breaks.
      if (status === 'failure' && entries.at(-1)?.outcome === 'fault' && entries[0]!.model !== price.holdModel)
        return false;
      return Number(cost) < sum(entries.map(({ model, usage }) => billed(model, usage)));
    });
    if (attempts !== invoice.length) broken.push(`${attempts} attempts on record, ${invoice.length} dispatches`);
    if (beyond.length > 0) broken.push(`${beyond.length} requests cost more than was held for them`);
    if (uncovered.length > 0) broken.push(`${uncovered.length} requests cost less than the provider bills`);
    if (owed > cap) broken.push(`the provider bills ${owed}, the cap is ${cap}`);
    if (several.length === 0 || ambiguous === 0) broken.push('no request was sent twice: nothing was shown');
    broken.push(...books.differences);
    return {
      figures: {
        requests: purchases.length,
        answered: purchases.filter(({ status, isWhole }) => status === 200 && isWhole).length,
        'attempts on record': `${attempts} of ${invoice.length} dispatches`,
        'requests with several attempts': several.length,
        'requests with an unclear outcome': ambiguous,
        'cost more than held': beyond.length,
        'cost less than billed': uncovered.length,
        'audit differences': books.differences.length,
      },
      broken: broken.slice(0, 20),
    };
  },
};
