import { expect, it } from 'vitest';
import { silentLog } from '../../../test/builders.ts';
import { requestRecord } from '../../../test/contract/records.ts';
import { Secret } from '../../core/secret.ts';
import type { SinkSetting } from '../../core/sink-settings.ts';
import { systemClock } from '../system-clock.ts';
import { Sinks } from './sinks.ts';

const hookAt = (url: string): SinkSetting => ({
  name: 'webhook',
  hears: 'all',
  takesContent: false,
  hidesCaller: false,
  destination: { kind: 'webhook', url: new Secret(url), headers: [], format: 'single' },
});

it('counts of a sink never go back while it gives way to another of its name', async () => {
  const answers: (() => void)[] = [];
  const sinks = new Sinks({
    sender: {
      clock: systemClock(),
      transport: {
        send: (_request, receiver) => {
          answers.push(() => {
            receiver.onHeaders(200, {});
            receiver.onEnd();
          });
          return { pause() {}, resume() {}, cancel() {} };
        },
        close: async () => {},
      },
    },
    log: silentLog,
    program: { version: '0', instance: 'test', conventionName: (id) => id },
  });
  const produced = () => sinks.states().find(({ name }) => name === 'webhook')?.counts.produced;
  sinks.apply([hookAt('http://one.example')]);
  sinks.record(requestRecord('a'), null);
  await expect.poll(() => answers.length).toBe(1);
  expect(produced()).toBe(1);
  sinks.apply([hookAt('http://two.example')]);
  expect(produced()).toBe(1);
  // One that ends while the first is on its way out.
  sinks.record(requestRecord('b'), null);
  await expect.poll(() => answers.length).toBe(2);
  for (const answer of answers) answer();
  await sinks.close();
  const [state] = sinks.states();
  expect(state?.counts).toMatchObject({ produced: 2, delivered: 2, dropped: 0 });
});
