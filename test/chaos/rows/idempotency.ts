import { buy, makeTenant } from '../buyers.ts';
import type { Replica } from '../replica.ts';
import { type Rig, usualScript } from '../rig.ts';
import { pause, type Row, sum } from '../row.ts';

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
    const crashes = await withCrashes(rig, tenant.key, size === 'short' ? 1 : 40);
    for (const ref of crashes.refs) refs.add(ref);
    broken.push(...crashes.broken);
    const dispatches = new Map<string, number>();
    for (const { reference } of await rig.upstream.invoice()) {
      if (refs.has(reference ?? '')) dispatches.set(reference!, (dispatches.get(reference!) ?? 0) + 1);
    }
    const twice = [...dispatches.values()].filter((count) => count > 1).length;
    const strange = sum(Object.entries(answered).map(([status, count]) => (/^(200|409)$/.test(status) ? 0 : count)));
    if (twice > 0) broken.push(`${twice} keys were dispatched more than once`);
    if (unequal > 0) broken.push(`${unequal} keys were not answered alike`);
    if (strange > 0) broken.push(`answers that are neither 200 nor 409: ${JSON.stringify(answered)}`);
    const undispatched = keys + crashes.refs.length - dispatches.size;
    // Of those whose replica died, one may have died before it sent anything, and nobody was left to send it.
    if (undispatched > crashes.refs.length) broken.push(`${undispatched} keys were never dispatched`);
    await rig.calm();
    return {
      figures: {
        'keys dispatched more than once': `${twice} of ${keys + crashes.refs.length}`,
        'keys whose replica was killed in between': crashes.refs.length,
        'of these, answered by another, replayed, or refused for good': crashes.answers,
        'keys with unequal answers': `${unequal} of ${keys}`,
        answers: Object.entries(answered)
          .map(([status, count]) => `${count} × ${status}`)
          .join(', '),
      },
      broken,
    };
  },
};

/** One replica dies while it works for a key that others ask for as well, and once more when it is back. */
async function withCrashes(rig: Rig, key: string, count: number) {
  const refs: string[] = [];
  const broken: string[] = [];
  const statuses: Record<string, number> = {};
  for (let number = 0; number < count; number++) {
    const ref = `crash${rig.next()}`;
    refs.push(ref);
    await rig.upstream.setDefault({ ...usualScript, delayBeforeHeadersMs: 400 });
    const doomed = rig.replicas[number % rig.replicas.length]!;
    const ask = (replica: Replica) =>
      buy(rig, replica, { key, ref, maxTokens: 8, stream: number % 2 === 1, headers: { 'idempotency-key': ref } });
    const first = ask(doomed);
    await pause(30 + ((number * 37) % 300));
    const others = rig.replicas.filter((replica) => replica !== doomed).map(ask);
    await doomed.kill();
    await rig.upstream.setDefault(usualScript);
    await doomed.start();
    const answers = [await first, ...(await Promise.all(others)), ...(await Promise.all(rig.replicas.map(ask)))];
    const bodies = new Set(answers.filter(({ status, isWhole }) => status === 200 && isWhole).map(({ body }) => body));
    if (bodies.size > 1) broken.push(`${ref} was answered in ${bodies.size} ways`);
    for (const { status, body } of answers.slice(1)) {
      statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
      if (status !== 200 && status !== 409) broken.push(`${ref} was answered ${status}: ${body.slice(0, 200)}`);
    }
  }
  const answers = Object.entries(statuses).map(([status, times]) => `${times} × ${status}`);
  return { refs, broken, answers: answers.join(', ') };
}
