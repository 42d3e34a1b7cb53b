import { createHash } from 'node:crypto';
import type { WireBody } from './upload.ts';

export type FormField =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly fileName: string; readonly mediaType: string; readonly bytes: Buffer };

const lineEnd = '\r\n';

/** The head of a part, from its boundary line to the empty line. */
export function partHead(boundary: string, field: FormField): string {
  const quoted = (text: string) =>
    text.replace(/[\r\n"]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const file =
    'bytes' in field
      ? `; filename="${quoted(field.fileName)}"${lineEnd}content-type: ${field.mediaType.replace(/[\r\n]/g, ' ')}`
      : '';
  return `--${boundary}${lineEnd}content-disposition: form-data; name="${quoted(field.name)}"${file}${lineEnd}${lineEnd}`;
}

/** A whole form, `multipart/form-data`. */
export function formBody(fields: readonly FormField[]): WireBody {
  const contents = fields.map((field) => ('bytes' in field ? field.bytes : Buffer.from(field.value)));
  const hash = createHash('sha256');
  for (const content of contents) hash.update(content);
  const boundary = `tollgate-${hash.digest('hex').slice(0, 40)}`;
  const chunks: Buffer[] = [];
  for (const [index, field] of fields.entries()) {
    chunks.push(Buffer.from(partHead(boundary, field)), contents[index]!, Buffer.from(lineEnd));
  }
  chunks.push(Buffer.from(`--${boundary}--${lineEnd}`));
  const bytes = Buffer.concat(chunks);
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes, length: bytes.length };
}
