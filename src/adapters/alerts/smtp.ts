import { createHash } from 'node:crypto';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { MailSetting } from '../../core/alert-settings.ts';

/* The part of SMTP (RFC 5321, RFC 3207, RFC 4954) that sends one message and is done. */

const answerMs = 10_000;
const replyBytesMax = 64 * 1024;

export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Rejects when the server did not take the message; neither password nor conversation stands in the error. */
export async function sendMail(setting: MailSetting, mail: Mail): Promise<void> {
  const { host, port, security, username, password, from, recipients } = setting;
  let line = new Conversation(await connected(host, port, security === 'tls'));
  try {
    await line.expect(null, 220);
    let offers = await line.expect(`EHLO ${from.split('@')[1] ?? 'localhost'}`, 250);
    if (security === 'starttls') {
      if (!/^STARTTLS$/im.test(offers)) throw new Error('the mail server offers no TLS');
      await line.expect('STARTTLS', 220);
      line = new Conversation(await secured(line.release(), host));
      offers = await line.expect(`EHLO ${from.split('@')[1] ?? 'localhost'}`, 250);
    }
    if (username !== null && password !== null) {
      const word = Buffer.from(`\0${username}\0${password.reveal()}`).toString('base64');
      if (/^AUTH .*\bPLAIN\b/im.test(offers)) await line.expect(`AUTH PLAIN ${word}`, 235, 'sign-in');
      else {
        await line.expect('AUTH LOGIN', 334);
        await line.expect(Buffer.from(username).toString('base64'), 334, 'sign-in');
        await line.expect(Buffer.from(password.reveal()).toString('base64'), 235, 'sign-in');
      }
    }
    await line.expect(`MAIL FROM:<${from}>`, 250);
    for (const recipient of recipients) await line.expect(`RCPT TO:<${recipient}>`, 250);
    await line.expect('DATA', 354);
    await line.expect(`${messageOf(setting, mail)}\r\n.`, 250, 'the message');
    await line.expect('QUIT', 221).catch(() => '');
  } finally {
    line.end();
  }
}

/** The message with its header; text in base64, so that no line is too long and none begins with a dot. */
export function messageOf({ from, recipients }: MailSetting, { subject, text, at }: Mail): string {
  const name = createHash('sha256').update(`${subject}\n${text}\n${at}`).digest('hex').slice(0, 32);
  const body = Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    `From: Tollgate <${from}>`,
    `To: ${recipients.join(', ')}`,
    `Subject: =?UTF-8?B?${Buffer.from(oneLine(subject)).toString('base64')}?=`,
    // Some servers take no message without one.
    `Message-ID: <${name}@${from.split('@')[1] ?? 'localhost'}>`,
    `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    body,
  ].join('\r\n');
}

/** Short enough that the encoded word keeps to its 75 characters. */
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  let short = line;
  while (Buffer.byteLength(short) > 45) short = short.slice(0, -1);
  return short;
}

/** One question at a time, one reply each. */
class Conversation {
  readonly #socket: Socket;
  #text = '';
  #waiting: { readonly resolve: () => void; readonly reject: (cause: Error) => void } | null = null;
  #broken: Error | null = null;
  readonly #onData = (chunk: Buffer): void => {
    this.#text += chunk.toString('latin1');
    if (this.#text.length > replyBytesMax) this.#break('the mail server says too much');
    else this.#waiting?.resolve();
  };
  readonly #onEnd = (): void => this.#break('the mail server hung up');

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setTimeout(answerMs, () => this.#break('the mail server does not answer'));
    socket.on('data', this.#onData);
    socket.on('close', this.#onEnd);
    socket.on('error', this.#onEnd);
  }

  /** Resolves to the reply. Rejects when its code is another one; `what` stands for words that must not be told. */
  async expect(words: string | null, code: number, what?: string): Promise<string> {
    if (words !== null) this.#socket.write(`${words}\r\n`);
    for (;;) {
      if (this.#broken !== null) throw this.#broken;
      // A reply may have many lines; the last one has a space behind its code.
      const end = /^(\d{3})(?: .*)?\r?\n/m.exec(this.#text);
      if (end !== null) {
        const reply = this.#text.slice(0, end.index + end[0].length);
        this.#text = this.#text.slice(reply.length);
        if (Number(end[1]) === code) return reply.replace(/^\d{3}[ -]/gm, '').replace(/\r/g, '');
        throw new Error(`the mail server answered ${end[1]} to ${what ?? words?.split(/[ :]/)[0] ?? 'the connection'}`);
      }
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    }
  }

  /** Gives the connection on, to be spoken over in another way. */
  release(): Socket {
    this.#socket.off('data', this.#onData);
    this.#socket.off('close', this.#onEnd);
    this.#socket.off('error', this.#onEnd);
    this.#socket.setTimeout(0);
    return this.#socket;
  }

  end(): void {
    this.#broken = new Error('over');
    this.#socket.destroy();
  }

  #break(why: string): void {
    this.#broken ??= new Error(why);
    this.#waiting?.reject(this.#broken);
    this.#socket.destroy();
  }
}

function connected(host: string, port: number, tls: boolean): Promise<Socket> {
  const socket = tls ? connectTls({ host, port, servername: host }) : connectPlain({ host, port });
  return settled(socket, tls ? 'secureConnect' : 'connect');
}

function secured(socket: Socket, host: string): Promise<Socket> {
  return settled(connectTls({ socket, servername: host }), 'secureConnect');
}

function settled(socket: Socket, event: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (): void => {
      socket.destroy();
      reject(new Error('no connection to the mail server'));
    };
    socket.setTimeout(answerMs, failed);
    socket.once('error', failed);
    // There may be a second one: a certificate is refused, and then what the server says to that.
    socket.on('error', () => {});
    socket.once(event, () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
