import { connect } from 'node:net';

/** A request for TLS: PostgreSQL answers it with one letter, most other servers with what they are. */
const question = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/** For servers that wait for the end of a line. */
const line = Buffer.from('PING\r\n\r\n');
const patienceMs = 1_000;
const mysqlProtocol = 10;
const tlsAlert = 21;

/** What answers there instead of a PostgreSQL; null where that is not to be known. */
export async function strangerAt(host: string, port: number): Promise<string | null> {
  // A folder with a Unix socket.
  if (host.startsWith('/')) return null;
  let answer = await firstBytes(host, port, question);
  if (answer.length === 0) answer = await firstBytes(host, port, line);
  const text = answer.toString('latin1');
  if (/^(?:|[SN]|E[\s\S]*)$/.test(text)) return null;
  if (text.startsWith('HTTP/')) return 'an HTTP server';
  if (/^[-+](?:PONG|ERR|DENIED|NOAUTH)/.test(text)) return 'a Redis server';
  if (text.startsWith('SSH-')) return 'an SSH server';
  if (answer[4] === mysqlProtocol || /mysql|mariadb/i.test(text)) return 'a MySQL or MariaDB server';
  return answer[0] === tlsAlert ? 'a TLS server of another protocol' : 'a server of another protocol';
}

function firstBytes(host: string, port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.write(bytes));
    const done = (answer: Buffer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(nothing), patienceMs);
    socket.once('data', done);
    socket.once('error', () => done(nothing));
    socket.once('close', () => done(nothing));
  });
}

const nothing = Buffer.alloc(0);
