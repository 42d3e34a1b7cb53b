import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock, Timer } from '../core/ports.ts';

export interface WatchOptions {
  /** Asked at every look, as an edit may add or remove included files. */
  files(): readonly string[];
  readonly clock: Clock;
  readonly intervalMs?: number;
  onChange(): void;
}

export interface Watch {
  /** The files are about to be read for another reason: what they are now is no news any more. */
  acting(): void;
  close(): void;
}

/**
 * Calls `onChange` once the files have changed and then stood still for one interval. Looks at them instead of waiting for
 * events: that also sees an editor that replaces the file, a symbolic link that is turned to another folder (Kubernetes), a
 * single mounted file, and network file systems.
 */
export function watchFiles({ files, clock, intervalMs = 1_000, onChange }: WatchOptions): Watch {
  let timer: Timer | undefined;
  let isClosed = false;
  let acted: string | undefined;
  let seen: string | undefined;

  const look = async () => {
    const current = (await Promise.all(files().map(signature))).join('\n');
    if (isClosed) return;
    acted ??= current;
    const isStill = current === seen;
    seen = current;
    if (isStill && current !== acted) {
      acted = current;
      onChange();
      // Another list of files is not a change of the files.
      acted = seen = (await Promise.all(files().map(signature))).join('\n');
    }
    if (!isClosed) timer = clock.setTimer(intervalMs, look);
  };
  void look();
  return {
    acting() {
      acted = seen = files().map(signatureNow).join('\n');
    },
    close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}

/** Follows symbolic links. A file that is not there has a signature of its own. */
async function signature(file: string): Promise<string> {
  try {
    return written(file, await stat(file));
  } catch {
    return `${file} missing`;
  }
}

function signatureNow(file: string): string {
  try {
    return written(file, statSync(file));
  } catch {
    return `${file} missing`;
  }
}

function written(file: string, { ino, size, mtimeMs }: Stats): string {
  return `${file} ${ino} ${size} ${mtimeMs}`;
}
