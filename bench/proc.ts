import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What Linux says about a process. Source: proc(5). */

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Microseconds, of all threads since the program started; the kernel counts in 10 ms steps. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name is in brackets and may hold anything; the fields after it are plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const microseconds = (field: string | undefined): number => (Number(field) * 1_000_000) / ticksPerSecond;
  return { user: microseconds(fields[11]), system: microseconds(fields[12]) };
}

export function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}
