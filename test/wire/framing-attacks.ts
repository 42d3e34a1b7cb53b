/** Bytes with a request inside a request: whoever frames them wrongly serves both. */
export interface Attack {
  readonly name: string;
  readonly bytes: Buffer;
  /** Stands in the inner request alone. */
  readonly mark: string;
  /** Responses that a correct server may give. */
  readonly answersMax: number;
}

/** Each of these headers, in the place of the one that frames the body, makes a request that nobody may serve twice. */
const framings: readonly (readonly [name: string, headers: string, body: 'length' | 'chunked'])[] = [
  ['length and chunked', 'Content-Length: LEN\r\nTransfer-Encoding: chunked', 'chunked'],
  ['chunked and length', 'Transfer-Encoding: chunked\r\nContent-Length: 4', 'chunked'],
  ['two lengths, the first short', 'Content-Length: 2\r\nContent-Length: LEN', 'length'],
  ['two lengths, the second short', 'Content-Length: LEN\r\nContent-Length: 2', 'length'],
  ['lengths in a list', 'Content-Length: LEN, 2', 'length'],
  ['length with a plus', 'Content-Length: +LEN', 'length'],
  ['negative length', 'Content-Length: -1', 'length'],
  ['length in hex', 'Content-Length: 0xLEN', 'length'],
  ['length with a space inside', 'Content-Length: 1 2', 'length'],
  ['length with a comma', 'Content-Length: LEN,', 'length'],
  ['empty length', 'Content-Length:', 'length'],
  ['space before the colon of the length', 'Content-Length : LEN', 'length'],
  ['length with a vertical tab', 'Content-Length:\x0bLEN', 'length'],
  ['length with a null byte', 'Content-Length: LEN\0', 'length'],
  ['huge length', 'Content-Length: 99999999999999999999', 'length'],
  ['space before the colon of the encoding', 'Transfer-Encoding : chunked\r\nContent-Length: LEN', 'chunked'],
  ['encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 'chunked'],
  ['encoding of two, chunked first', 'Transfer-Encoding: chunked, identity', 'chunked'],
  ['encoding xchunked', 'Transfer-Encoding: xchunked', 'chunked'],
  ['encoding with a vertical tab', 'Transfer-Encoding:\x0bchunked', 'chunked'],
  ['encoding in quotes', 'Transfer-Encoding: "chunked"', 'chunked'],
  ['encoding after a null byte', 'Transfer-Encoding: \0chunked', 'chunked'],
  ['folded encoding', 'Transfer-Encoding:\r\n chunked', 'chunked'],
  ['folded header above the length', 'X-A: b\r\n Content-Length: 2\r\nContent-Length: LEN', 'length'],
  ['bare LF before the encoding', 'X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: LEN', 'chunked'],
  ['bare CR before the encoding', 'X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: LEN', 'chunked'],
  ['bare LF before the length', 'X-A: b\nContent-Length: 2\r\nContent-Length: LEN', 'length'],
  ['encoding in another case and a length', 'tRANSFER-eNCODING: cHUNKED\r\nContent-Length: 3', 'chunked'],
  ['encoding with a trailing tab', 'Transfer-Encoding: chunked\t\r\nContent-Length: 3', 'chunked'],
  ['underscore for the dash', 'Transfer_Encoding: chunked\r\nContent-Length: LEN', 'chunked'],
  ['gzip, chunked and a length', 'Transfer-Encoding: gzip, chunked\r\nContent-Length: 3', 'chunked'],
  ['connection names the length', 'Connection: Content-Length\r\nContent-Length: LEN', 'length'],
  [
    'upgrade to h2c',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: LEN',
    'length',
  ],
  ['expect and a length of nothing', 'Expect: 100-continue\r\nContent-Length: 0', 'length'],
  ['two hosts', 'Host: other\r\nContent-Length: 2', 'length'],
];

/** Ways to spell chunks, of which only some are chunks. */
const chunkings: readonly (readonly [name: string, bytes: (inner: string) => string])[] = [
  ['size in hex with a prefix', (inner) => `0x2\r\n{}\r\n0\r\n\r\n${inner}`],
  ['negative size', (inner) => `-2\r\n{}\r\n0\r\n\r\n${inner}`],
  ['size with a space', (inner) => `2 \r\n{}\r\n0\r\n\r\n${inner}`],
  ['overflowing size', (inner) => `ffffffffffffffff2\r\n{}\r\n0\r\n\r\n${inner}`],
  ['extension with a bare LF', (inner) => `2;a\n{}\r\n0\r\n\r\n${inner}`],
  ['extension with a bare CR', (inner) => `2;a\rb\r\n{}\r\n0\r\n\r\n${inner}`],
  ['chunk ended by a bare LF', (inner) => `2\n{}\n0\n\n${inner}`],
  ['chunk without its end', (inner) => `2\r\n{}0\r\n\r\n${inner}`],
  ['chunk longer than its size', (inner) => `1\r\n{}\r\n0\r\n\r\n${inner}`],
  ['trailer that frames', (inner) => `2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n${inner}`],
  ['trailer with a bare LF', (inner) => `2\r\n{}\r\n0\r\nX: y\n\r\n${inner}`],
  ['no last chunk', (inner) => `2\r\n{}\r\n${inner}`],
  ['quoted extension over lines', (inner) => `2;a="\r\n{}"\r\n0\r\n\r\n${inner}`],
];

const requestLines: readonly (readonly [name: string, line: string])[] = [
  ['HTTP/1.2', 'POST PATH HTTP/1.2'],
  ['HTTP/2.0', 'POST PATH HTTP/2.0'],
  ['no version', 'POST PATH'],
  ['two spaces', 'POST  PATH  HTTP/1.1'],
  ['tab', 'POST\tPATH HTTP/1.1'],
  ['method in small letters', 'post PATH HTTP/1.1'],
  ['unknown method', 'SMUGGLE PATH HTTP/1.1'],
  ['space in the path', 'POST PATH x HTTP/1.1'],
  ['null byte in the path', 'POST PATH\0 HTTP/1.1'],
  ['CONNECT', 'CONNECT localhost:80 HTTP/1.1'],
  ['absolute address', 'POST http://localhostPATH HTTP/1.1'],
  ['absolute address of another host', 'POST http://other.hostPATH HTTP/1.1'],
  ['bare LF', 'POST PATH HTTP/1.1\nX: y'],
];

const path = '/v1/chat/completions';

/** All of them, each framing once on the path itself and once after a request that is in order. */
export function attacks(key: string): readonly Attack[] {
  let number = 0;
  const request = (line: string, headers: string, body: string): string =>
    `${line.replace('PATH', path)}\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
  const innerOf = (mark: string) => {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: mark }] });
    return request(`POST ${path} HTTP/1.1`, `Content-Length: ${body.length}`, body);
  };
  const made: Attack[] = [];
  const add = (name: string, build: (inner: string) => string, answersMax: number, valid = '') => {
    number += 1;
    const mark = `smuggled-${number}-smuggled`;
    made.push({ name, mark, answersMax, bytes: Buffer.from(valid + build(innerOf(mark)), 'latin1') });
  };
  const first = '{"model":"m","messages":[{"role":"user","content":"in order"}]}';
  const inOrder = request(`POST ${path} HTTP/1.1`, `Content-Length: ${first.length}`, first);
  for (const [name, headers, kind] of framings) {
    const build = (inner: string) => {
      // What one side takes for the body ends before the inner request, what the other takes for it, after.
      const body = kind === 'chunked' ? `0\r\n\r\n${inner}` : `{}${inner}`;
      return request(`POST ${path} HTTP/1.1`, headers.replaceAll('LEN', String(body.length)), body);
    };
    add(name, build, 1);
    add(`${name}, after a request in order`, build, 2, inOrder);
  }
  for (const [name, chunks] of chunkings) {
    add(`chunks: ${name}`, (inner) => request(`POST ${path} HTTP/1.1`, 'Transfer-Encoding: chunked', chunks(inner)), 1);
  }
  for (const [name, line] of requestLines) {
    add(`request line: ${name}`, (inner) => request(line, `Content-Length: ${inner.length}`, inner), 1);
  }
  return made;
}
