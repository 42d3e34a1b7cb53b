import { describe, expect, it } from 'vitest';
import { parsePostgresAddress } from './postgres-address.ts';

const parse = (text: string) => parsePostgresAddress(text);

describe('address of a PostgreSQL database', () => {
  it('reads host, port, user, password and database', () => {
    expect(parse('postgresql://me:p%40ss%2Fw@db.example:6432/gate%20way')).toMatchObject({
      host: 'db.example',
      port: 6432,
      user: 'me',
      password: 'p@ss/w',
      database: 'gate way',
      tls: false,
      schema: null,
      pooled: false,
      label: 'db.example:6432/gate way',
    });
    expect(parse('postgres://me@[::1]/x')).toMatchObject({ host: '::1', port: 5432, password: undefined });
    expect(parse('postgresql://me@/x?host=/var/run/postgresql')).toMatchObject({ host: '/var/run/postgresql' });
  });

  it('reads the parameters of libpq and Prisma', () => {
    const address = parse('postgresql://me@h/x?schema=gate&connection_limit=7&connect_timeout=3&pgbouncer=true');
    expect(address).toMatchObject({ schema: 'gate', poolMax: 7, connectTimeoutMs: 3_000, pooled: true });
    expect(parse('postgresql://me@h/x?connection_limit=0&connect_timeout=0')).toMatchObject({
      poolMax: null,
      connectTimeoutMs: null,
    });
  });

  it('takes TLS modes as libpq does', () => {
    expect(parse('postgresql://me@h/x?sslmode=disable').tls).toBe(false);
    expect(parse('postgresql://me@h/x?sslmode=require').tls).toEqual({ rejectUnauthorized: false });
    expect(parse('postgresql://me@h/x?sslmode=verify-full').tls).toEqual({});
    expect(parse('postgresql://me@h/x?sslmode=verify-ca').tls).toHaveProperty('checkServerIdentity');
  });

  it.each([
    ['nonsense', /does not begin with postgresql:/],
    ['me:hunter2@h:5432/x', /does not begin with postgresql:/],
    ['mysql://me:hunter2@h/x', /begins with "mysql:\/\/"/],
    ['postgresql://me:hunter2@h', /names no database/],
    ['postgresql://h/x', /names no user/],
    ['postgresql://me:hunter2@a,b/x', /several hosts/],
    ['postgresql://me:hunter2%@h/x', /password.*%25/],
    ['postgresql://me:hunter2@h:port/x', /not an address\. Its port is a number/],
    ['postgresql://me:hunter2@h/x?sslmode=maybe', /sslmode=maybe/],
    ['postgresql://me:hunter2@h/x?sslmode=verify-full&sslrootcert=/nowhere.pem', /nowhere\.pem, which cannot be read/],
    ['postgresql://me:hunter2@h/x?connection_limit=many', /connection_limit=many/],
  ])('says what is wrong with %s, without the password', (text, message) => {
    const error = (() => {
      try {
        return parse(text);
      } catch (cause) {
        return cause as Error;
      }
    })();
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('hunter2');
    expect((error as Error).message).toContain('postgresql://USER:PASSWORD@HOST:5432/DATABASE');
  });
});
