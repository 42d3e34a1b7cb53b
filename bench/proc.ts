import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What Linux says about a process. Source: proc(5). */

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Microseconds, of all threads and child processes since the program started; the kernel counts in 10 ms steps. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

export function cpuTime(pid: number): CpuTime {
  const all = withChildren(pid).map(cpuTimeAlone);
  return {
    user: all.reduce((sum, one) => sum + one.user, 0),
    system: all.reduce((sum, one) => sum + one.system, 0),
  };
}

/** The process and those it has started: workers, helpers. */
function withChildren(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(withChildren)];
}

function cpuTimeAlone(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name is in brackets and may hold anything; the fields after it are plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const microseconds = (field: string | undefined): number => (Number(field) * 1_000_000) / ticksPerSecond;
  return { user: microseconds(fields[11]), system: microseconds(fields[12]) };
}

export function residentMegabytes(pid: number): number {
  return withChildren(pid).reduce((sum, one) => sum + residentAlone(one), 0);
}

function residentAlone(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}
