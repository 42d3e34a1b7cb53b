import { systemEnvironment } from '../config/environment.ts';
import { Secret } from '../core/secret.ts';

const reference = 'os.environ/';

/** A database address as written, or the variable that holds it: `os.environ/DATABASE_URL` keeps it off the command line. */
export function databaseAddress(written: string): Secret {
  if (!written.startsWith(reference)) return new Secret(written);
  const name = written.slice(reference.length);
  const value = systemEnvironment()[name];
  if (value === undefined || value.trim() === '') throw new Error(`the environment variable ${name} is not set`);
  return new Secret(value.trim());
}
