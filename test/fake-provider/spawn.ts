import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InvoiceEntry } from './invoice.ts';
import type { Script } from './script.ts';

export interface SpawnedFakeProvider {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  enqueue(...scripts: Script[]): Promise<void>;
  setDefault(script: Script): Promise<void>;
  /** From the dispatch with this number on, counted from 0. */
  invoice(from?: number): Promise<InvoiceEntry[]>;
  close(): Promise<void>;
}

/** Starts the fake as a child process. `options` are the flags of main.ts: `{ invoice: FILE, 'api-key': KEY }`. */
export async function spawnFakeProvider(options: Readonly<Record<string, string>> = {}): Promise<SpawnedFakeProvider> {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { url, port } = await firstLine(child);
  const control = async (method: string, path: string, value?: unknown): Promise<unknown> => {
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const response = await fetch(`${url}/_fake/${path}`, { method, ...body });
    return await response.json();
  };
  return {
    url,
    port,
    child,
    enqueue: async (...scripts) => void (await control('POST', 'enqueue', scripts)),
    setDefault: async (script) => void (await control('PUT', 'default', script)),
    invoice: async (from = 0) => (await control('GET', `invoice?from=${from}`)) as InvoiceEntry[],
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<{ url: string; port: number }> {
  let text = '';
  return await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the fake provider ended with ${code} before it listened`)));
    child.stdout!.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))));
    });
  });
}
