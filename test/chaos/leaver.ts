import { connect } from 'node:net';
import type { Replica } from './replica.ts';

export interface Leaving {
  readonly key: string;
  readonly ref: string;
  readonly model: string;
  readonly maxTokens: number;
  /** Of the caller. */
  readonly dialect: 'chat' | 'messages';
  /** Leaves once so many bytes of the answer are there; before the first when 0. */
  readonly atByte: number;
  /** And at the latest so many milliseconds after the request was sent. */
  readonly afterMs: number;
  readonly how: 'fin' | 'rst';
}

export interface Left {
  /** Milliseconds since 1970 with a fraction. */
  readonly at: number;
  /** Everything that had come. */
  readonly seen: string;
  /** The answer was complete before it was left. */
  readonly isWhole: boolean;
}

/** Asks for a stream on a connection of its own and leaves in the middle. */
export function leave(
  replica: Replica,
  { key, ref, model, maxTokens, dialect, atByte, afterMs, how }: Leaving,
): Promise<Left> {
  const path = dialect === 'chat' ? '/v1/chat/completions' : '/v1/messages';
  const body = JSON.stringify({
    model,
    max_tokens: maxTokens,
    stream: true,
    messages: [{ role: 'user', content: `Tell me more. [[ref:${ref}]]` }],
  });
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${replica.port}`,
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `x-litellm-call-id: ${ref}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return new Promise((resolve) => {
    const socket = connect({ port: replica.port, host: '127.0.0.1', noDelay: true });
    let seen = '';
    let bytes = 0;
    let isOver = false;
    const go = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      const at = performance.timeOrigin + performance.now();
      if (how === 'rst') socket.resetAndDestroy();
      else socket.destroy();
      resolve({ at, seen, isWhole: /data: \[DONE\]|event: message_stop/.test(seen) });
    };
    let timer = setTimeout(go, 60_000);
    socket.on('connect', () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
      clearTimeout(timer);
      timer = setTimeout(go, afterMs);
    });
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      seen += chunk.toString('latin1');
      if (atByte > 0 && bytes >= atByte) go();
    });
    socket.on('error', go);
    socket.on('close', go);
  });
}
