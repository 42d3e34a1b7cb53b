import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readInvoice, spawnFakeProvider } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'fake-provider-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a child process keeps its invoice through its own death', async () => {
  const file = join(folder, 'invoice.jsonl');
  const fake = await spawnFakeProvider({ invoice: file });
  await fake.enqueue({}, { status: 503 });
  const ask = (reference: string) =>
    fetch(`${fake.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `[[ref:${reference}]] hello` }] }),
    });
  const answer = (await (await ask('first')).json()) as { id: string; usage: { completion_tokens: number } };
  expect((await ask('second')).status).toBe(503);
  await fake.setDefault({ stall: { at: 'before-headers' } });
  const third = ask('third').catch(() => 'cut');
  await expect.poll(async () => (await fake.invoice()).length).toBe(3);
  fake.child.kill('SIGKILL');
  expect(await third).toBe('cut');
  const entries = readInvoice(file);
  expect(entries.map(({ reference, state, outcome }) => [reference, state, outcome])).toEqual([
    ['first', 'billed', 'complete'],
    ['second', 'billed', 'refused'],
    ['third', 'dispatched', undefined],
  ]);
  expect(entries[0]).toMatchObject({ id: answer.id, usage: { outputTokens: answer.usage.completion_tokens } });
  expect(entries[1]!.usage.inputTokens).toBe(0);
});
