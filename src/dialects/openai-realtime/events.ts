import type { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';

/* Events of sessions, as JSON texts. */

/** An append holds little besides its sound; what holds more is looked at as a whole. */
const besidesSoundMax = 400;

/** The sound of an event of this type that is hardly anything else, without parsing it; null for every other event. */
export function soundIn(text: string, type: string): string | null {
  if (!text.includes(`"${type}"`)) return null;
  const begins = /"audio"\s*:\s*"/.exec(text);
  if (begins === null) return null;
  const from = begins.index + begins[0].length;
  const to = text.indexOf('"', from);
  if (to < 0 || to - from < text.length - besidesSoundMax || text.length < 2 * besidesSoundMax) return null;
  const sound = text.slice(from, to);
  return sound.includes('\\') ? null : sound;
}

export function bytesOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}

export function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function toldError({ message, type, code, details }: GatewayError): string {
  return JSON.stringify({
    type: 'error',
    event_id: `event_${code}`,
    error: { type, code, message, param: details.param ?? null },
  });
}
