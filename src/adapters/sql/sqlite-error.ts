import { ConflictError, StoreError } from '../../core/store.ts';
import type { SqliteFailure } from './sqlite-protocol.ts';

/* Result codes: https://www.sqlite.org/rescode.html. The low byte of an extended code is the primary code. */
const permissionDenied = 3;
const busy = 5;
const locked = 6;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;
const primaryKeyTaken = 1555;
const uniqueTaken = 2067;

/** What SQLite said, as an error that tells the operator what to do. */
export function sqliteError(failure: SqliteFailure, file: string): Error {
  const { errcode, message } = failure;
  if (errcode === primaryKeyTaken || errcode === uniqueTaken) {
    const column = /\.(\w+)$/.exec(message)?.[1] ?? 'id';
    return new ConflictError(column, `another row already has this ${column}`);
  }
  switch (errcode === null ? null : errcode & 0xff) {
    case corrupt:
    case notADatabase:
      return new StoreError(
        'corrupt',
        `The database ${file} is damaged or not a database (${message}). Restore it from a backup, or move it away to start with an empty one.`,
      );
    case permissionDenied:
    case readOnly:
    case cannotOpen:
      return new StoreError(
        'not_writable',
        `The database ${file} cannot be opened for writing (${message}). Give the user that runs the gateway write permission on the file and its folder.`,
      );
    case full:
    case ioError:
      return new StoreError(
        'full',
        `The database ${file} could not be written (${message}). Free space on its disk and check that the disk is healthy.`,
      );
    case busy:
    case locked:
      return new StoreError(
        'locked',
        `The database ${file} is being written by another program (${message}). Run one gateway per database file.`,
      );
    default:
      return new StoreError('unavailable', `The database ${file} refused a statement: ${message}`);
  }
}
