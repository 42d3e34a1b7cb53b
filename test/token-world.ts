import { type Outside, OutsideError, type OutsideRequest } from '../src/core/ports.ts';
import type { OutgoingCall } from '../src/core/provider.ts';

/**
 * An outside for providers that fetch tokens: answers by the beginning of an address, or by the name of a file. An answer
 * that begins with `!STATUS ` has that status.
 */
export function tokenWorld(answers: Readonly<Record<string, string>>): {
  readonly asked: OutsideRequest[];
  readonly outside: Outside;
  readonly call: OutgoingCall;
} {
  const asked: OutsideRequest[] = [];
  const outside: Outside = {
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    send: async (request) => {
      asked.push(request);
      const found = Object.keys(answers).find((beginning) => request.address.startsWith(beginning));
      if (found === undefined) throw new OutsideError('connection refused');
      const failed = /^!(\d+) (.*)$/s.exec(answers[found]!);
      return failed === null ? { status: 200, body: answers[found]! } : { status: Number(failed[1]), body: failed[2]! };
    },
    readFile: async (path) => {
      if (answers[path] === undefined) throw new OutsideError('the file is not there');
      return answers[path];
    },
  };
  const call: OutgoingCall = {
    method: 'POST',
    origin: 'https://provider.example',
    path: '/v1/chat/completions',
    headers: ['content-type', 'application/json'],
    body: Buffer.from('{"a":1}'),
  };
  return { asked, outside, call };
}
