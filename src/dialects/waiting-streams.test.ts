import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { AnswerOptions } from '../core/dialect.ts';
import { relayChunks } from './openai-chat/relay.ts';

setFlagsFromString('--expose-gc');
const collectNow = runInNewContext('gc') as () => void;

async function collect(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    collectNow();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const options: AnswerOptions = { model: 'public', usageInStream: false, requestId: 'r', createdAt: 0 };

it('keep little of the pieces they came in while they wait for more', async () => {
  const event = (text: string) =>
    `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
  // As it is read: several events at once, the last of them not whole.
  const piece = event('word '.repeat(2_000)) + event('more') + event('and more') + event('cut off').slice(0, -20);
  const waiting = 300;
  await collect();
  const before = process.memoryUsage().arrayBuffers;
  const relays = Array.from({ length: waiting }, () => {
    const relay = relayChunks(options);
    relay.push(Buffer.from(event('first')));
    relay.push(Buffer.from(piece));
    return relay;
  });
  await collect();
  const each = (process.memoryUsage().arrayBuffers - before) / waiting;
  expect(relays).toHaveLength(waiting);
  // One 64 KiB block that is kept by a few bytes in it would already be more.
  expect(each).toBeLessThan(4_096);
});
