import { parentPort } from 'node:worker_threads';
import { type ScriptSource, startFakeProvider } from '../fake-provider/index.ts';
import { paceOf, wordsMax } from './restart-lengths.ts';

// The provider of the rolling restarts, in a thread of its own. Its deployments differ in their pace.

/** What it has seen is of no use here, and 200,000 requests are many. */
const forgetEveryMs = 10_000;

const text = ' word'.repeat(wordsMax);
const script: ScriptSource = ({ index, json }) => ({
  text,
  delayBeforeHeadersMs: 5 + (index % 10) * 20,
  delayBetweenEventsMs: paceOf((json as { model: string }).model),
});
const fake = await startFakeProvider({ default: script });
setInterval(() => {
  fake.reset();
  fake.setDefault(script);
}, forgetEveryMs);
parentPort!.postMessage(fake.url);
