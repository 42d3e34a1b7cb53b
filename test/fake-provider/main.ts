import { parseArgs } from 'node:util';
import { startFakeProvider } from './server.ts';

// A fake provider in a process of its own, so that it outlives a gateway that is killed. Prints one JSON line
// {"url","port","pid"} when it listens; is controlled under /_fake/; ends on SIGTERM or when its parent's pipe closes.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    invoice: { type: 'string' },
    'api-key': { type: 'string' },
    script: { type: 'string', default: '{}' },
    strict: { type: 'boolean', default: false },
    'close-idle-after-ms': { type: 'string' },
  },
});

const fake = await startFakeProvider({
  port: Number(values.port),
  strict: values.strict,
  default: JSON.parse(values.script),
  ...(values.invoice === undefined ? {} : { invoiceFile: values.invoice }),
  ...(values['api-key'] === undefined ? {} : { apiKey: values['api-key'] }),
  ...(values['close-idle-after-ms'] === undefined ? {} : { closeIdleAfterMs: Number(values['close-idle-after-ms']) }),
});
process.stdout.write(`${JSON.stringify({ url: fake.url, port: fake.port, pid: process.pid })}\n`);

const leave = (): void => {
  void fake.close().then(() => process.exit(0));
};
process.on('SIGTERM', leave);
process.on('SIGINT', leave);
process.stdin.on('end', leave).on('error', leave).resume();
