import { expect, test } from 'vitest';
import { type RawReply, ReplyReader } from './http-reply.ts';

const wire = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n1\r\nx\r\n8\r\n\n\n[DONE]\r\n0\r\n\r\n' +
    'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n',
);
const expected: RawReply[] = [
  { status: 200, bodyBytes: 5, tail: 'hello' },
  { status: 200, bodyBytes: 15, tail: 'data: x\n\n[DONE]' },
  { status: 429, bodyBytes: 0, tail: '' },
];

test('reads the same replies however the bytes are cut', () => {
  for (let first = 0; first <= wire.length; first += 1) {
    for (let second = first; second <= wire.length; second += 7) {
      const replies: RawReply[] = [];
      const reader = new ReplyReader((reply) => replies.push(reply));
      for (const piece of [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)])
        reader.push(piece);
      expect(replies).toEqual(expected);
    }
  }
  const replies: RawReply[] = [];
  const reader = new ReplyReader((reply) => replies.push(reply));
  for (const byte of wire) reader.push(Buffer.from([byte]));
  expect(replies).toEqual(expected);
});

test('says so when the bytes are no reply it can read', () => {
  expect(() => new ReplyReader(() => undefined).push(Buffer.from('SSH-2.0-x\r\n\r\n'))).toThrow('not a reply');
  expect(() => new ReplyReader(() => undefined).push(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow(
    'neither a length',
  );
});
