import type { Rig } from './rig.ts';
import { pause } from './row.ts';

export interface CapWatch {
  readonly polls: number;
  /** Number of polls that saw one. */
  readonly violated: number;
  /** Accounts that were seen above their cap, with the figures. */
  readonly violations: readonly string[];
  stop(): Promise<void>;
}

const everyMs = 5;

/** Looks at every account over and over: is what is spent and held together within the cap? */
export function watchCaps(rig: Rig): CapWatch {
  let polls = 0;
  let violated = 0;
  let isOver = false;
  const violations: string[] = [];
  const watching = (async () => {
    while (!isOver) {
      try {
        const found = await rig.query<{ key: string; cap: string; spent: string; leased: string }>(
          'select key, cap, spent, leased from accounts where cap is not null and spent + leased > cap',
        );
        polls += 1;
        if (found.length > 0) violated += 1;
        for (const { key, cap, spent, leased } of found) {
          violations.push(`${key}: spent ${spent} + held ${leased} > cap ${cap}`);
        }
      } catch {
        // The database is down for the moment, which is part of some rows.
      }
      await pause(everyMs);
    }
  })();
  return {
    get polls() {
      return polls;
    },
    get violated() {
      return violated;
    },
    violations,
    async stop() {
      isOver = true;
      await watching;
    },
  };
}
