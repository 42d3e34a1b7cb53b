import { createRequire } from 'node:module';
import type { TextPattern } from '../core/route.ts';

type Engine = typeof import('re2js');

let engine: Engine | undefined;

/**
 * A pattern that an operator wrote, for text that callers send: matched in time that grows with the text alone. Throws an
 * Error that says what is wrong with it. The engine is loaded with the first pattern, most configurations have none.
 */
export function textPattern(source: string): TextPattern {
  engine ??= createRequire(import.meta.url)('re2js') as Engine;
  const compiled = engine.RE2JS.compile(source);
  return Object.freeze({ source, isIn: (text: string) => compiled.matcher(text).find() });
}
