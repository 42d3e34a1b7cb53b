import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { dollarsFromNanodollars, nanodollarsFromDollars } from '../../core/money.ts';
import { normaliseDuration } from '../../core/window.ts';

/*
 * The kinds of values LiteLLM's bodies are made of, as they come and as they leave. Numbers may come as text, as they do
 * from forms; what is written is kept as written.
 */

const numeric = z.string().regex(/^\s*\d+(\.\d+)?(e[+-]?\d+)?\s*$/i, 'expected a number');

/** As many whole nano-dollars as one figure holds. */
const dollarsMax = 9_000_000;
const dollarsExpected = 'expected US dollars from 0 to 9,000,000, a number without a unit such as 10 or 0.5';

/** US dollars in, whole nano-dollars out. */
export const dollars = z
  .union([z.number(), z.string()], { error: dollarsExpected })
  .transform((value, context) => {
    const amount = typeof value === 'number' || numeric.safeParse(value).success ? Number(value) : Number.NaN;
    if (amount >= 0 && amount <= dollarsMax) return nanodollarsFromDollars(amount);
    context.addIssue({ code: 'custom', message: dollarsExpected });
    return z.NEVER;
  })
  .describe('US dollars');

export const count = z
  .union([z.number().nonnegative(), numeric])
  .transform((value, context) => {
    const whole = Number(value);
    if (Number.isSafeInteger(whole)) return whole;
    context.addIssue({ code: 'custom', message: 'expected a whole number' });
    return z.NEVER;
  })
  .describe('whole number');

/** A budget window, checked and kept as written. */
const durations = '30s, 5m, 24h, 7d, 30d, 1mo, or hourly, daily, weekly, monthly, yearly';

export const budgetDuration = z
  .string({ error: `expected a duration as a text such as ${durations}` })
  .transform((text, context) => {
    try {
      return normaliseDuration(text) === null ? null : text.trim();
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  })
  .describe(durations);

export const identifier = z.string().min(1).max(256);
export const label = z.string().max(512);
export const modelList = z.array(z.string().max(512)).max(10_000);
export const tree = z.record(z.string(), z.unknown()).transform((value) => value as JsonObject);
export const textMap = z.record(z.string(), z.string());

/** Query parameters come as text. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', 'True', 'False', '1', '0'])])
  .transform((value) => value === true || value === 'true' || value === 'True' || value === '1');
export const page = z.coerce.number().int().min(1).max(1_000_000);
export const pageSize = z.coerce.number().int().min(1).max(1_000);
export const words = z
  .union([z.string(), z.array(z.string())])
  .transform((value) =>
    (typeof value === 'string' ? value.split(',') : value).map((word) => word.trim()).filter(Boolean),
  );

export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

export function inDollars(amount: number | null): number | null {
  return amount === null ? null : dollarsFromNanodollars(amount);
}
