import { describe, expect, it } from 'vitest';
import { ClientSecrets, openingOf } from './client-secrets.ts';

const secrets = new ClientSecrets(Buffer.alloc(32, 1));
const nonce = Buffer.alloc(12, 3).toString('base64url');
const secret = { keyId: 'abc', expiresAt: 1_000, session: { model: 'talker', instructions: 'Grüezi' }, isBeta: false };
const text = secrets.seal(secret, 'hash', nonce);

describe('a client secret', () => {
  it('opens to what was sealed, and shows none of it', () => {
    expect(text).toMatch(/^ek_[A-Za-z0-9_-]+$/);
    expect(Buffer.from(text.slice(3), 'base64url').toString('latin1')).not.toContain('talker');
    expect(secrets.open(text, 'hash', 999_999)).toEqual(secret);
  });

  it('is good until its last millisecond', () => {
    expect(() => secrets.open(text, 'hash', 1_000_000)).toThrow(expect.objectContaining({ code: 'expired_key' }));
  });

  it('altered in any byte is none', () => {
    const bytes = Buffer.from(text.slice(3), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const altered = Buffer.from(bytes);
      altered[index] = altered[index]! ^ 1;
      expect(() => secrets.open(`ek_${altered.toString('base64url')}`, 'hash', 0)).toThrow(
        expect.objectContaining({ code: 'unknown_key' }),
      );
    }
  });

  it('has one spelling, so that its uses can be counted by it', () => {
    for (const [index, instructions] of ['', 'a', 'ab', 'abc'].entries()) {
      const one = secrets.seal({ ...secret, session: { instructions } }, 'hash', nonce);
      const others = [
        `${one}x`,
        `${one}=`,
        `${one}!`,
        `${one}xx`,
        one.replace(/^ek_/, 'ek_ '),
        `${one.slice(0, -1)}+x`,
      ];
      for (const other of others) {
        expect(() => secrets.open(other, 'hash', 0), `${index} ${other}`).toThrow(
          expect.objectContaining({ code: 'unknown_key' }),
        );
      }
    }
  });

  it.each(['ek_', 'ek_short', `ek_${'A'.repeat(200)}`, `ek_${'A'.repeat(20_000)}`])(
    'foreign is none: %#',
    (foreign) => {
      expect(() => secrets.open(foreign, 'hash', 0)).toThrow(expect.objectContaining({ code: 'unknown_key' }));
    },
  );

  it('of another gateway, or of a master key that is gone, is none', () => {
    const unknown = expect.objectContaining({ code: 'unknown_key' });
    expect(() => new ClientSecrets(Buffer.alloc(32, 2)).open(text, 'hash', 0)).toThrow(unknown);
    expect(() => secrets.open(text, 'another', 0)).toThrow(unknown);
    expect(() => secrets.open(text, null, 0)).toThrow(unknown);
  });

  it('carries instructions of some length, and says so where they are too long', () => {
    const long = 'You speak slowly and never of the weather. '.repeat(400);
    const carried = secrets.seal({ ...secret, session: { instructions: long } }, 'hash', nonce);
    expect(secrets.open(carried, 'hash', 0).session).toEqual({ instructions: long });
    const numbers = Array.from({ length: 3_000 }, (_, index) => (index * 7_919) % 10_007).join(' ');
    expect(() => secrets.seal({ ...secret, session: { instructions: numbers } }, 'hash', nonce)).toThrow(
      /session: too large/,
    );
  });
});

describe('the opening of a session', () => {
  it('says everything but the model', () => {
    expect(JSON.parse(openingOf(secret)!)).toEqual({ type: 'session.update', session: { instructions: 'Grüezi' } });
    expect(openingOf({ ...secret, session: { type: 'realtime', model: 'talker' } })).toBeNull();
  });
});
