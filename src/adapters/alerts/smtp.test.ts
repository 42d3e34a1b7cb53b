import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startAlertingTls, uncaughtDuring } from '../../../test/servers/alerting-tls.ts';
import type { MailSetting } from '../../core/alert-settings.ts';
import { Secret } from '../../core/secret.ts';
import { sendMail } from './smtp.ts';

let server: Server | undefined;
afterEach(() => void server?.close());

/** A mail server that answers by the first word; `undefined` hangs. */
async function mailServer(answers: Readonly<Record<string, string | undefined>>) {
  const said: string[] = [];
  let body = '';
  server = createServer((socket: Socket) => {
    let text = '';
    let inData = false;
    socket.on('error', () => {});
    socket.write('220-hello\r\n220 there\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString();
      for (;;) {
        if (inData) {
          const end = text.indexOf('\r\n.\r\n');
          if (end < 0) return;
          body = text.slice(0, end);
          text = text.slice(end + 5);
          inData = false;
          socket.write(`${answers.message ?? '250 queued'}\r\n`);
          continue;
        }
        const end = text.indexOf('\r\n');
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        said.push(line);
        const word = line.split(/[ :]/)[0]!;
        const answer =
          word in answers ? answers[word] : word === 'DATA' ? '354 go on' : word === 'QUIT' ? '221 bye' : '250 ok';
        if (answer === undefined) return;
        inData = word === 'DATA' && answer.startsWith('354');
        socket.write(`${answer}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, said, body: () => body };
}

const setting = (port: number, changes: Partial<MailSetting> = {}): MailSetting => ({
  host: '127.0.0.1',
  port,
  security: 'none',
  username: 'gate',
  password: new Secret('pass-canary-1'),
  from: 'gateway@example.com',
  recipients: ['ops@example.com', 'boss@example.com'],
  ...changes,
});
const mail = { subject: 'Tollgate: store down — überall', text: '.a line\n'.repeat(40), at: Date.UTC(2026, 10, 25) };

describe('mail', () => {
  it('is handed over with sign-in, to everybody, whatever the text holds', async () => {
    const { port, said, body } = await mailServer({
      EHLO: '250-here\r\n250-SIZE 100\r\n250 AUTH LOGIN PLAIN',
      AUTH: '235 in',
    });
    await sendMail(setting(port), mail);
    expect(said).toEqual([
      'EHLO example.com',
      `AUTH PLAIN ${Buffer.from('\0gate\0pass-canary-1').toString('base64')}`,
      'MAIL FROM:<gateway@example.com>',
      'RCPT TO:<ops@example.com>',
      'RCPT TO:<boss@example.com>',
      'DATA',
      'QUIT',
    ]);
    const [header, text = ''] = body().split('\r\n\r\n');
    expect(header).toContain('To: ops@example.com, boss@example.com');
    expect(header).toContain('Date: Wed, 25 Nov 2026 00:00:00 +0000');
    expect(
      Math.max(
        ...body()
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(80);
    expect(Buffer.from(text, 'base64').toString()).toBe(mail.text);
  });

  it('is not sent in clear where TLS is asked for', async () => {
    const { port, said } = await mailServer({ EHLO: '250 AUTH PLAIN' });
    await expect(sendMail(setting(port, { security: 'starttls' }), mail)).rejects.toThrow('offers no TLS');
    expect(said).toEqual(['EHLO example.com']);
  });

  it('says what the server said, and never the password', async () => {
    const { port } = await mailServer({ EHLO: '250 AUTH PLAIN', AUTH: '535 no' });
    const error = await sendMail(setting(port), mail).catch((cause: Error) => cause);
    expect(String(error)).toBe('Error: the mail server answered 535 to sign-in');
  });

  it('fails when the message is refused, or nobody is there', async () => {
    const { port } = await mailServer({ EHLO: '250 AUTH PLAIN', AUTH: '235 in', message: '552 too long' });
    await expect(sendMail(setting(port), mail)).rejects.toThrow('552 to the message');
    await expect(sendMail(setting(1), mail)).rejects.toThrow('no connection');
  });
});

it('bears an alert that comes together with a certificate that is refused', async () => {
  const server = await startAlertingTls({ atOnce: true });
  const uncaught = await uncaughtDuring(async () => {
    await expect(sendMail(setting(server.port, { security: 'tls' }), mail)).rejects.toThrow('no connection');
    await new Promise((done) => setTimeout(done, 50));
  });
  server.close();
  expect(uncaught).toEqual([]);
});
