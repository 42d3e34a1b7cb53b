import { readFileSync } from 'node:fs';

/*
 * Loaded into a gateway before its own code: its time of day is off by what stands in a file, in milliseconds, and jumps when
 * the file is written anew. Durations and timers are the machine's.
 */

const file = process.env.CHAOS_CLOCK_FILE;
const machineNow = Date.now;
const MachineDate = Date;
let offsetMs = 0;

if (file !== undefined) {
  const look = () => {
    offsetMs = Number(readFileSync(file, 'utf8'));
  };
  look();
  setInterval(look, 50).unref();
  const now = () => machineNow() + offsetMs;
  globalThis.Date = new Proxy(MachineDate, {
    construct: (target, words, self) => Reflect.construct(target, words.length === 0 ? [now()] : words, self),
    apply: () => new MachineDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
}
