export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether lists and objects stand inside each other more than `levels` deep. Looks no further than that. */
export function nestsDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const entry of value) if (nestsDeeperThan(entry, levels - 1)) return true;
    return false;
  }
  for (const name in value) if (nestsDeeperThan(value[name]!, levels - 1)) return true;
  return false;
}
