import { connect } from 'node:net';
import { pause } from '../../chaos/row.ts';
import { masterKey } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn, model, residentBytes } from '../gateway.ts';
import { inPlace, type WireRow } from '../row.ts';

const mebibyte = 1024 * 1024;

/** Promise 26: whoever asks for much and reads nothing costs a bounded piece of memory, and holds nothing when it leaves. */
export const slowReadersRow: WireRow = {
  row: 26,
  kind: 'wire',
  promise: 'Slow readers cost bounded memory',
  target:
    'a client that reads nothing of 200 MB: RSS +16 MiB at most; 500 that read 1 KiB/s: at most 256 KiB each; nothing left when they leave',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place, { default: { endless: true, charactersPerPiece: 4_000, eventsPerWrite: 16 } });
      // With the settings of memory that `npm start`, the package and the image have.
      const gateway = await gatewayIn(place, { config: `model_list:\n${model('m', fake.port)}`, asShipped: true });
      const port = Number(new URL(gateway.url).port);
      // What the first stream loads is no cost of a slow reader.
      for (let turn = 0; turn < 3; turn++) {
        const first = await reader(port, Number.POSITIVE_INFINITY);
        await pause(500);
        first.leave();
      }
      await pause(300);

      // What else the process does meanwhile (collecting, compiling) only ever adds: the least of three is the client's.
      let ofOne = Number.POSITIVE_INFINITY;
      for (let turn = 0; turn < 3; turn++) {
        const before = residentBytes(gateway);
        const stuck = await reader(port, 0);
        await pause(size === 'short' ? 1_500 : 10_000);
        ofOne = Math.min(ofOne, residentBytes(gateway) - before);
        stuck.leave();
        await pause(300);
      }
      if (ofOne > 16 * mebibyte) broken.push(`a client that reads nothing costs ${Math.round(ofOne / mebibyte)} MiB`);

      const count = size === 'short' ? 40 : 500;
      const beforeMany = residentBytes(gateway);
      const many = await Promise.all(Array.from({ length: count }, () => reader(port, 1_024)));
      await pause(size === 'short' ? 1_500 : 15_000);
      const grown = residentBytes(gateway) - beforeMany;
      const each = grown / count;
      // With few clients, what the collector has not looked at yet is most of it.
      if (each > 256 * 1024 && grown > 128 * mebibyte)
        broken.push(`a slow client costs ${Math.round(each / 1024)} KiB`);
      for (const { leave } of many) leave();
      await pause(1_500);
      const open = fake.openConnections();
      const metrics = await (await gateway.get('/metrics')).text();
      const inFlight = Number(/^litellm_in_flight_requests(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? 0);
      if (inFlight > 1) broken.push(`${inFlight} requests are still in flight`);
      const working = fake.requests.filter(
        ({ abortedAtMs, finishedAtMs }) => abortedAtMs === undefined && finishedAtMs === undefined,
      );
      if (working.length > 0) broken.push(`the provider still works for ${working.length} that left`);
      return {
        figures: {
          'one client that reads nothing costs (MiB)': (ofOne / mebibyte).toFixed(1),
          'clients that read 1 KiB/s': count,
          'each costs (KiB)': Math.round(each / 1024),
          'the provider still works for': working.length,
          'connections left open to the provider': open,
        },
        broken,
      };
    }),
};

/** Asks for an endless stream and reads so much of it a second. */
function reader(port: number, bytesPerSecond: number): Promise<{ leave(): void }> {
  const body = '{"model":"m","stream":true,"messages":[{"role":"user","content":"Go on."}]}';
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n`;
      socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    socket.on('error', () => {});
    let ticking: NodeJS.Timeout | undefined;
    socket.once('data', () => {
      if (bytesPerSecond !== Number.POSITIVE_INFINITY) socket.pause();
      if (bytesPerSecond > 0) ticking = setInterval(() => socket.read(bytesPerSecond), 1_000);
      resolve({
        leave: () => {
          clearInterval(ticking);
          socket.destroy();
        },
      });
    });
  });
}
