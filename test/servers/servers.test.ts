import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { redisAddress } from './index.ts';

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy(new Error('enough')));
    socket.on('error', (error) => resolve(error.message === 'enough'));
  });

/** A run that starts a server of its own and tells its port and folder. */
async function startRun(): Promise<{ run: ChildProcess; port: number; folder: string }> {
  const file = new URL('../../scripts/servers/redis.ts', import.meta.url).href;
  const text = `
    import { startRedis } from ${JSON.stringify(file)};
    import { connect } from 'node:net';
    const { port } = await startRedis();
    const socket = connect(port, '127.0.0.1', () => socket.write('CONFIG GET dir\\r\\n'));
    socket.on('data', (piece) => console.log(JSON.stringify({ port, folder: /\\/\\S+/.exec(piece.toString())[0] })));`;
  const run = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(run, 'exit').then(() => Promise.reject(new Error('the run ended before its server was ready')));
  const [line] = (await Promise.race([once(run.stdout, 'data'), ended])) as [Buffer];
  ended.catch(() => {});
  return { run, ...(JSON.parse(line.toString()) as { port: number; folder: string }) };
}

it('a server and its folder are gone after the run that started it was killed', async () => {
  const { run, port, folder } = await startRun();
  expect(await listens(port)).toBe(true);
  expect(existsSync(folder)).toBe(true);
  run.kill('SIGKILL');
  const endsAt = performance.now() + 10_000;
  while ((await listens(port)) || existsSync(folder)) {
    expect(performance.now()).toBeLessThan(endsAt);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

it('all files of a run share one Redis, each with keys of its own', async () => {
  const [one, other] = [await redisAddress(), await redisAddress()];
  expect(one.url).toBe(other.url);
  expect(one.prefix).not.toBe(other.prefix);
});
