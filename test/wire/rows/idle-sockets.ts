import { pause } from '../../chaos/row.ts';
import { fakeIn, gatewayIn, model } from '../gateway.ts';
import { inPlace, type WireRow } from '../row.ts';

const idleMs = 40;

/**
 * Promise 30: a provider closes kept connections after a while, and requests arrive at just that moment. The caller never
 * sees it, and what was sent twice is on record twice.
 */
export const idleSocketsRow: WireRow = {
  row: 30,
  kind: 'wire',
  promise: 'Idle-socket races are invisible',
  target: 'errors seen by callers 0 of 50,000; dispatches without an attempt on record 0',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place, { closeIdleAfterMs: idleMs });
      const gateway = await gatewayIn(place, { config: `model_list:\n${model('m', fake.port)}` });
      const tries = size === 'short' ? 300 : 50_000;
      const lanes = size === 'short' ? 4 : 24;
      let errors = 0;
      const body = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
      await Promise.all(
        Array.from({ length: lanes }, async (_, lane) => {
          for (let index = lane; index < tries; index += lanes) {
            const answer = await gateway.post('/v1/chat/completions', body).catch(() => null);
            if (answer?.status !== 200) errors += 1;
            await answer?.text();
            // Within two milliseconds of the moment at which the provider closes.
            await pause(idleMs - 2 + (index % 5));
          }
        }),
      );
      await pause(1_000);
      const page = await gateway.get('/spend/logs?summarize=false');
      const rows = (await page.json()) as unknown[];
      const dispatched = fake.requests.length;
      // Every dispatch is an attempt: of a request's own, or one made good on a fresh connection.
      const metrics = await (await gateway.get('/metrics')).text();
      const attempts = sumOf(metrics, 'tollgate_attempts_total');
      if (errors > 0) broken.push(`${errors} callers saw an error`);
      if (attempts !== null && dispatched > attempts) broken.push(`${dispatched} dispatches, ${attempts} attempts`);
      if (rows.length === 0) broken.push('no request is on record');
      return {
        figures: {
          'errors seen by callers': `${errors} of ${tries}`,
          'requests dispatched': dispatched,
          'dispatches without an attempt on record': attempts === null ? 0 : Math.max(0, dispatched - attempts),
        },
        broken,
      };
    }),
};

function sumOf(metrics: string, name: string): number | null {
  const lines = [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))];
  return lines.length === 0 ? null : lines.reduce((sum, [, value]) => sum + Number(value), 0);
}
