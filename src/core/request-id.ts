let lastTime = Number.NaN;
let lastBeginning = '';

/**
 * A UUID that begins with the time (RFC 9562, version 7), made of a random one (version 4): rows of one moment then lie
 * together in every index over ids, where random ones would touch a page each.
 */
export function timeOrderedId(random: string, now: number): string {
  if (now !== lastTime) {
    const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0');
    lastBeginning = `${time.slice(0, 8)}-${time.slice(8, 12)}-7`;
    lastTime = now;
  }
  return lastBeginning + random.slice(15);
}
