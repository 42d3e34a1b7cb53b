import type { JsonObject } from '../../core/json.ts';
import type { MediaFile } from '../../core/neutral-media.ts';
import type { UploadedFile } from '../../core/upload.ts';
import { malformed } from '../body-checks.ts';

/* Fields of a body that may have come as JSON or as the texts of a form. */

export function numberOf(
  body: JsonObject,
  field: string,
  bounds: { readonly whole?: boolean; readonly least?: number; readonly most?: number } = {},
): number | undefined {
  const value = body[field];
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  const { whole = false, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bounds;
  const fits = typeof number === 'number' && Number.isFinite(number) && number >= least && number <= most;
  if (fits && (!whole || Number.isSafeInteger(number))) return number;
  const range = [bounds.least === undefined ? '' : ` from ${least}`, bounds.most === undefined ? '' : ` to ${most}`];
  throw malformed(field, `expected a ${whole ? 'whole ' : ''}number${range.join('')}`);
}

export function flagOf(body: JsonObject, field: string): boolean | undefined {
  const value = body[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (value === true || value === 'true' || value === '1') return true;
  if (value === false || value === 'false' || value === '0') return false;
  throw malformed(field, 'expected true or false');
}

/** For a form that is here whole. */
export function refuseEmpty(files: readonly UploadedFile[]): void {
  const empty = files.find(({ size }) => size === 0);
  if (empty !== undefined) throw malformed(empty.field, 'the file is empty');
}

/** The files under a name, or under the name with `[]`. */
export function filesOf(files: readonly UploadedFile[], field: string): MediaFile[] {
  return files
    .filter((file) => file.field === field || file.field === `${field}[]`)
    .map((file) => ({ fileName: file.fileName, mediaType: file.mediaType, bytes: file.bytes() }));
}

/** The one file under a name, which must be there. */
export function fileOf(files: readonly UploadedFile[], field: string): MediaFile {
  const [file] = filesOf(files, field);
  if (file === undefined) throw malformed(field, 'expected a file');
  return file;
}
