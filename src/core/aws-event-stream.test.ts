import { expect, test } from 'vitest';
import { AwsFrameSplitter, awsEvent, awsException, awsFrames } from './aws-event-stream.ts';

/** From Amazon's own test suite for the format: a frame with one header and a JSON payload. */
const published = Buffer.from(
  '0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
  'hex',
);

test('reads a published frame', () => {
  const [frame] = awsFrames(published);
  expect(frame!.headers.get('content-type')).toBe('application/json');
  expect(frame!.payload.toString()).toBe("{'foo':'bar'}");
});

test('what is written is read again, however it is cut', () => {
  const bytes = Buffer.concat([
    awsEvent('one', { text: 'Grüße 👋' }),
    awsException('throttlingException', 'Too fast.'),
  ]);
  for (let at = 0; at <= bytes.length; at += 1) {
    const splitter = new AwsFrameSplitter();
    const whole = [bytes.subarray(0, at), bytes.subarray(at)].map((piece) => splitter.push(piece) ?? Buffer.alloc(0));
    expect(splitter.isCut).toBe(false);
    expect(
      [...awsFrames(Buffer.concat(whole))].map(({ headers, payload }) => [[...headers.values()], payload.toString()]),
    ).toEqual([
      [['one', 'application/json', 'event'], '{"text":"Grüße 👋"}'],
      [['throttlingException', 'application/json', 'exception'], '{"message":"Too fast."}'],
    ]);
  }
});

test('one wrong bit anywhere is found', () => {
  for (let at = 0; at < published.length; at += 1) {
    const damaged = Buffer.from(published);
    damaged[at]! ^= 1;
    const read = () => {
      const splitter = new AwsFrameSplitter();
      const whole = splitter.push(damaged);
      return whole === null ? 'waits' : [...awsFrames(whole)].length;
    };
    expect(read).toThrow(/cannot be read/);
  }
});

test('a page instead of a stream is refused, not waited for', () => {
  expect(() => new AwsFrameSplitter().push(Buffer.from('<html><body>down</body></html>'))).toThrow(/cannot be read/);
});
