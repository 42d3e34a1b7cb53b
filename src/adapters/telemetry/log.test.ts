import { describe, expect, it } from 'vitest';
import { Secret } from '../../core/secret.ts';
import { openLog } from './log.ts';

function captured(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const secret = new Secret('sk-canary-0123456789');
  const log = openLog({ level, secrets: () => [secret], destination: { write: (line) => void lines.push(line) } });
  return { lines, log, secret };
}

describe('the log', () => {
  it('writes one JSON object a line with level, time, message and fields', () => {
    const { lines, log } = captured();
    log.info('request', { id: 'abc', status: 200 });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'request', id: 'abc', status: 200 });
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  it('never prints a credential, neither wrapped nor as bare text', () => {
    const { lines, log, secret } = captured();
    log.warn('wrapped', { secret });
    log.error(`leaked ${secret.reveal()} in a message`, { header: `Bearer ${secret.reveal()}` });
    expect(lines.join('')).not.toContain(secret.reveal());
    expect(lines.join('')).toContain('[redacted]');
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = captured('info');
    log.debug('quiet');
    expect(lines).toEqual([]);
  });
});
