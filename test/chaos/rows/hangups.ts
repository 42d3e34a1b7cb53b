import { audit } from '../audit.ts';
import { makeTenant } from '../buyers.ts';
import { type Left, leave } from '../leaver.ts';
import { billed, price } from '../price.ts';
import type { Rig } from '../rig.ts';
import { pause, percentile, type Row, seeded, until } from '../row.ts';

const maxTokens = 24;
const together = 8;
const models = [price.model, price.holdModel, price.messagesModel] as const;

interface Hangup {
  readonly ref: string;
  readonly model: string;
  readonly left: Left;
}

interface UsageRow {
  readonly id: string;
  readonly status: string;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly cost: string;
  readonly bound: string;
  readonly attempts: number;
}

/** Callers in both dialects leave answers of both dialects at every byte, by FIN and by RST. */
async function hangUp(rig: Rig, count: number, seed: number): Promise<Hangup[]> {
  const random = seeded(seed);
  const { key } = await makeTenant(rig, { key: 1e13, team: 1e13 });
  await rig.upstream.setDefault({ text: 'word '.repeat(40), delayBeforeHeadersMs: 4, delayBetweenEventsMs: 3 });
  const hangups: Hangup[] = [];
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const number = next++;
      const ref = `left${rig.next()}`;
      const model = models[number % models.length]!;
      const left = await leave(rig.replicas[number % rig.replicas.length]!, {
        key,
        ref,
        model,
        maxTokens,
        dialect: Math.floor(number / models.length) % 2 === 0 ? 'chat' : 'messages',
        // Answers are about 4,000 bytes long, heads included; every twentieth is left before it begins.
        atByte: number % 20 === 0 ? 0 : 1 + Math.floor(random() * 4_500),
        afterMs: number % 20 === 0 ? random() * 12 : 5_000,
        how: number % 2 === 0 ? 'fin' : 'rst',
      });
      hangups.push({ ref, model, left });
      await pause(random() * 5);
    }
  };
  await Promise.all(Array.from({ length: together }, caller));
  return hangups;
}

/** Promise 8: one row for each stream that is left, charged by the policy of its provider. */
export const hangupBillRow: Row = {
  row: 8,
  promise: 'An aborted stream is billed once and by the stated policy',
  target: 'rows 1 for each of 20,000 aborts; cost exactly as the policy says; nothing charged for produced tokens: 0',
  async run(rig, size) {
    const broken: string[] = [];
    const hangups = await hangUp(rig, size === 'short' ? 180 : 20_000, 8);
    const isQuiet = await rig.calm();
    if (!isQuiet) broken.push('something is still held after the end');
    const found = await rig.query<UsageRow>(`
      select id, status, input_tokens, output_tokens, cost, detail::jsonb ->> 'bound' as bound,
             jsonb_array_length(detail::jsonb -> 'attempts') as attempts
      from usage where id like 'left%'`);
    const rows = Map.groupBy(found, ({ id }) => id.split('.')[0]!);
    const refs = new Set(hangups.map(({ ref }) => ref));
    const invoice = (await rig.upstream.invoice()).filter(({ reference }) => refs.has(reference ?? ''));
    const dispatches = Map.groupBy(invoice, ({ reference }) => reference!);
    const counts = { aborted: 0, unsent: 0, twice: 0, policy: 0, free: 0, underbilled: 0 };
    for (const { ref, model, left } of hangups) {
      const own = rows.get(ref) ?? [];
      const sent = dispatches.get(ref) ?? [];
      if (sent.length === 0) counts.unsent += 1;
      if (own.length > 1 || (own.length === 0 && sent.length > 0)) {
        counts.twice += 1;
        broken.push(`${ref} has ${own.length} rows and ${sent.length} dispatches`);
      }
      const row = own[0];
      if (row === undefined || row.status !== 'aborted' || row.attempts === 0) continue;
      counts.aborted += 1;
      const cost = Number(row.cost);
      const [input, output] = [Number(row.input_tokens), Number(row.output_tokens)];
      const owed = sent.reduce((all, { usage }) => all + billed(model, usage), 0);
      if (owed > 0 && cost === 0) counts.free += 1;
      if (cost < owed) counts.underbilled += 1;
      const words = left.seen.split('word').length - 1;
      const seen = input * price.inputNanodollars + output * price.outputNanodollars;
      const isByPolicy = model === price.holdModel ? cost === Number(row.bound) : cost === seen && output >= words;
      if (isByPolicy) continue;
      counts.policy += 1;
      broken.push(
        `${ref} on ${model} costs ${cost}: ${input} + ${output} tokens, bound ${row.bound}, ${words} words came`,
      );
    }
    const books = await audit(rig);
    if (counts.free > 0) broken.push(`${counts.free} aborts cost nothing although something was produced`);
    if (counts.aborted < hangups.length / 3) broken.push(`only ${counts.aborted} of ${hangups.length} were aborts`);
    broken.push(...books.differences);
    return {
      figures: {
        'left in the middle': `${counts.aborted} of ${hangups.length}`,
        'not exactly one row': counts.twice,
        'cost other than the policy': counts.policy,
        'nothing charged for produced tokens': counts.free,
        'produced beyond what had arrived': counts.underbilled,
        'audit differences': books.differences.length,
      },
      broken: broken.slice(0, 20),
    };
  },
};

/** Promise 9: the provider hears at once that nobody listens any more, and no socket stays. */
export const hangupStopRow: Row = {
  row: 9,
  promise: 'Upstream work stops when the client leaves',
  target: 'p99 at most 100 ms, at most 500 ms; sockets leaked after 10,000 aborts: 0',
  async run(rig, size) {
    const broken: string[] = [];
    const before = rig.replicas.map(({ sockets }) => sockets);
    const hangups = await hangUp(rig, size === 'short' ? 120 : 10_000, 9);
    const answer = await fetch(`${rig.upstream.url}/_fake/requests`);
    const requests = (await answer.json()) as { body: string; finishedAtMs?: number; abortedAtMs?: number }[];
    const byRef = new Map(requests.map((one) => [/\[\[ref:([^\]]+)\]\]/.exec(one.body)?.[1] ?? '', one]));
    const delays: number[] = [];
    let open = 0;
    for (const { ref, left } of hangups) {
      const request = byRef.get(ref);
      if (request === undefined || request.finishedAtMs !== undefined || left.isWhole) continue;
      if (request.abortedAtMs === undefined) open += 1;
      else delays.push(Math.max(0, request.abortedAtMs - left.at));
    }
    await rig.calm();
    // Sockets to providers rest for a while before they close.
    const leaked = () => rig.replicas.map(({ sockets }, at) => sockets - before[at]!);
    const restMs = size === 'short' ? 500 : 15_000;
    await until(() => leaked().every((more) => more <= together), restMs);
    const most = Math.max(...leaked());
    const [p99, slowest] = [percentile(delays, 0.99), Math.max(0, ...delays)];
    // With the tests the machine is at work elsewhere, too: there only being told at all, and soon, counts.
    const [p99Max, slowestMax] = size === 'short' ? [1_000, 3_000] : [100, 500];
    if (p99 > p99Max) broken.push(`the provider heard of it after ${Math.round(p99)} ms (p99)`);
    if (slowest > slowestMax) broken.push(`the provider heard of it after ${Math.round(slowest)} ms`);
    if (open > 0) broken.push(`${open} requests were still at work`);
    if (most > together) broken.push(`${most} sockets more than before`);
    if (delays.length < hangups.length / 3)
      broken.push(`only ${delays.length} of ${hangups.length} met the provider at work`);
    return {
      figures: {
        'left in the middle': `${delays.length} of ${hangups.length}`,
        'the provider hears of it (p50, ms)': percentile(delays, 0.5).toFixed(1),
        'the provider hears of it (p99, ms)': p99.toFixed(1),
        'the provider hears of it (slowest, ms)': slowest.toFixed(1),
        'still at work': open,
        'sockets more than before, of any replica': most,
      },
      broken,
    };
  },
};
