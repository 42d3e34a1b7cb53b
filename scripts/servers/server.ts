import { freePort, ServerChild } from './child.ts';
import { removeFolder } from './folder.ts';
import type { ServerWords } from './guard.ts';

/** A server of one's own, which may be stopped, killed, frozen and started again on the same port. */
export interface OwnServer {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface ServerPlan {
  readonly words: Omit<ServerWords, 'cwd' | 'folder'>;
  readonly url: string;
  /** Throws while it does not answer. */
  readonly answers: () => Promise<void>;
}

/** Starts a server on a free port in its folder, which is gone when the server is, and when it does not come to be. */
export async function startOwn(
  folder: string,
  limitMs: number,
  plan: (port: number) => ServerPlan,
): Promise<OwnServer> {
  let child: ServerChild | undefined;
  try {
    const port = await freePort();
    const { words, url, answers } = plan(port);
    const server = new ServerChild({ ...words, cwd: folder, folder });
    child = server;
    const start = () => server.start(answers, limitMs);
    await start();
    return {
      url,
      port,
      start,
      stop: () => server.stop(),
      kill: () => server.kill(),
      pause: () => server.pause(),
      resume: () => server.resume(),
      close: () => server.close(),
    };
  } catch (error) {
    await child?.close();
    removeFolder(folder);
    throw error;
  }
}
