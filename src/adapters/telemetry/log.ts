import { type Logger, pino, stdSerializers } from 'pino';
import type { Log } from '../../core/ports.ts';
import type { Secret } from '../../core/secret.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** Credentials now loaded; their exact text never leaves in a line, whatever put it there. */
  readonly secrets: () => readonly Secret[];
  /** Where lines go; standard error unless a test listens. */
  readonly destination?: { write(line: string): void };
}

export interface ProgramLog extends Log {
  /** Writes whatever the level is: for what somebody asked for by name. */
  readonly loud: Log;
}

/** One JSON object a line on standard error, so that standard output stays free for what a command was asked for. */
export function openLog(options: LogOptions): ProgramLog {
  const target = options.destination ?? process.stderr;
  const scrubbed = { write: (line: string) => void target.write(scrub(line, options.secrets())) };
  const logger = pino(
    {
      level: options.level,
      base: undefined,
      serializers: { cause: stdSerializers.err },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    scrubbed,
  );
  return { ...logOf(logger), loud: logOf(logger.child({}, { level: 'debug' })) };
}

function logOf(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields, message),
    info: (message, fields) => logger.info(fields, message),
    warn: (message, fields) => logger.warn(fields, message),
    error: (message, fields) => logger.error(fields, message),
  };
}

/** Takes every loaded credential out of a text by exact match. */
export function scrub(text: string, secrets: readonly Secret[]): string {
  let clean = text;
  for (const secret of secrets) {
    const value = secret.reveal();
    // Very short values would cut holes into ordinary words.
    if (value.length >= 6 && clean.includes(value)) clean = clean.replaceAll(value, '[redacted]');
  }
  return clean;
}
