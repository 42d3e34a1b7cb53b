import { buy, makeTenant } from '../buyers.ts';
import { type Row, sum } from '../row.ts';

const duplicates = 5;

/** Promise 42: the same request with the same Idempotency-Key arrives at several replicas at once, and once more later. */
export const idempotencyRow: Row = {
  row: 42,
  promise: 'An Idempotency-Key is paid for once',
  target: 'at most one dispatch for each of 1,000 keys with 5 concurrent duplicates; replay byte-equal; other body 422',
  async run(rig, size) {
    const keys = size === 'short' ? 20 : 1_000;
    const tenant = await makeTenant(rig, { key: 1e12 });
    const broken: string[] = [];
    const refs = new Set<string>();
    const answered: Record<string, number> = {};
    let unequal = 0;
    for (let number = 0; number < keys; number++) {
      const ref = `once${rig.next()}`;
      refs.add(ref);
      const ask = (copy: number, maxTokens: number) =>
        buy(rig, rig.replicas[copy % rig.replicas.length]!, {
          key: tenant.key,
          ref,
          maxTokens,
          stream: number % 2 === 0,
          headers: { 'idempotency-key': ref },
        });
      const copies = await Promise.all(Array.from({ length: duplicates }, (_, copy) => ask(copy, 8)));
      copies.push(await ask(1, 8));
      for (const { status } of copies) answered[String(status)] = (answered[String(status)] ?? 0) + 1;
      const bodies = new Set(copies.filter(({ status }) => status === 200).map(({ body }) => body));
      if (bodies.size !== 1) unequal += 1;
      const other = await ask(2, 9);
      if (other.status !== 422) broken.push(`the same key with another body was answered ${other.status}`);
    }
    const dispatches = new Map<string, number>();
    for (const { reference } of await rig.upstream.invoice()) {
      if (refs.has(reference ?? '')) dispatches.set(reference!, (dispatches.get(reference!) ?? 0) + 1);
    }
    const twice = [...dispatches.values()].filter((count) => count > 1).length;
    const strange = sum(Object.entries(answered).map(([status, count]) => (/^(200|409)$/.test(status) ? 0 : count)));
    if (twice > 0) broken.push(`${twice} keys were dispatched more than once`);
    if (unequal > 0) broken.push(`${unequal} keys were not answered alike`);
    if (strange > 0) broken.push(`answers that are neither 200 nor 409: ${JSON.stringify(answered)}`);
    if (dispatches.size !== keys) broken.push(`${keys - dispatches.size} keys were never dispatched`);
    await rig.calm();
    return {
      figures: {
        'keys dispatched more than once': `${twice} of ${keys}`,
        'keys with unequal answers': `${unequal} of ${keys}`,
        answers: Object.entries(answered)
          .map(([status, count]) => `${count} × ${status}`)
          .join(', '),
      },
      broken,
    };
  },
};
