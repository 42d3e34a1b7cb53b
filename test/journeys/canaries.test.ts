import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Canaries } from './support/canaries.ts';

/* The watch over planted credentials sees what it is there to see. */
const folder = mkdtempSync(join(tmpdir(), 'tollgate-canaries-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const secret = 'sk-provider-key-0123456789';
const watch = () => new Canaries([`model_list: [{ api_key: ${secret} }]`]);

it('says nothing where there is nothing', () => {
  writeFileSync(join(folder, 'books.db'), 'nothing to see');
  expect(() => watch().expectNone({ log: 'all is well' }, folder)).not.toThrow();
});

it('finds a credential in a text, in clear and in base64', () => {
  expect(() => watch().expectNone({ log: `Bearer ${secret}` }, folder)).toThrow('stands in log');
  expect(() => watch().expectNone({ log: Buffer.from(secret).toString('base64') }, folder)).toThrow('stands in log');
});

it('finds a key that was made, in a file', () => {
  const canaries = watch();
  canaries.plantKey('{"key":"sk-Ab_made-by-the-gateway","token":"x"}');
  writeFileSync(join(folder, 'books.db'), `\0\0${'sk-Ab_made-by-the-gateway'}\0`);
  expect(() => canaries.expectNone({}, folder)).toThrow('stands in books.db');
});
