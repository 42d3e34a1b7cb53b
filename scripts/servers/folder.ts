import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whom to run a server as that refuses to be root; undefined = as whom we are. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = readFileSync('/etc/passwd', 'utf8');
  for (const name of ['postgres', 'nobody']) {
    const found = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd);
    if (found !== null) return { uid: Number(found[1]), gid: Number(found[2]) };
  }
  return { uid: 65_534, gid: 65_534 };
}

/** A temporary folder that the account owns and nobody else can read. */
export function serverFolder(kind: string, account: Account | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), `tollgate-${kind}-`));
  chmodSync(folder, 0o700);
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
