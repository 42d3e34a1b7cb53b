import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, FileBlock, MediaSource } from '../../core/neutral.ts';
import { inexpressible } from '../parameter-edits.ts';

/* Media in this format say their format by a short name, and what they are by the member they stand in. */

const typeByFormat: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  csv: 'text/csv',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  html: 'text/html',
  txt: 'text/plain',
  md: 'text/markdown',
};

const formatByType = new Map(Object.entries(typeByFormat).map(([format, type]) => [type, format]));

/** The block for an image, video, audio or document; undefined for sources that only this format knows. */
export function decodeMedia(
  kind: 'image' | 'video' | 'audio' | 'document',
  media: JsonObject,
): ContentBlock | undefined {
  const format = typeof media.format === 'string' ? media.format : 'txt';
  const mediaType = kind === 'document' ? (typeByFormat[format] ?? 'application/octet-stream') : `${kind}/${format}`;
  const source = decodeSource(media.source, mediaType);
  if (source === undefined) return undefined;
  if (kind === 'image') return { type: 'image', source };
  if (kind === 'audio') return { type: 'audio', source, format };
  const extra = Object.entries(media).filter(([name]) => name === 'context' || name === 'citations');
  return {
    type: 'file',
    source,
    ...(typeof media.name === 'string' ? { name: media.name } : {}),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) } : {}),
  };
}

function decodeSource(source: Json | undefined, mediaType: string): MediaSource | undefined {
  if (!isJsonObject(source)) return undefined;
  if (typeof source.bytes === 'string') return { kind: 'base64', mediaType, base64: source.bytes };
  if (typeof source.text === 'string') {
    return { kind: 'base64', mediaType: 'text/plain', base64: Buffer.from(source.text).toString('base64') };
  }
  return undefined;
}

export function encodeMedia(block: Extract<ContentBlock, { type: 'image' | 'audio' }>): JsonObject {
  const { mediaType, base64 } = bytesOf(block.source);
  const format = mediaType.slice(mediaType.indexOf('/') + 1).replace(/^jpg$/, 'jpeg');
  const kind = block.type === 'image' ? 'image' : 'audio';
  return { [kind]: { format, source: { bytes: base64 } } };
}

export function encodeFile(block: FileBlock, serial: number): JsonObject {
  if (block.source.kind === 'id') throw inexpressible('files by the id of another provider: send their data');
  const { mediaType, base64 } = bytesOf(block.source);
  if (mediaType.startsWith('video/')) {
    return { video: { format: mediaType.slice('video/'.length), source: { bytes: base64 } } };
  }
  const format = formatByType.get(mediaType) ?? (mediaType.startsWith('text/') ? 'txt' : undefined);
  if (format === undefined) throw inexpressible(`files of type ${mediaType.slice(0, 80)}`);
  const name = documentName(block.name) ?? `document-${serial}`;
  return { document: { format, name, source: { bytes: base64 }, ...block.extra } };
}

function bytesOf(source: MediaSource): { mediaType: string; base64: string } {
  if (source.kind === 'url') throw inexpressible('images and files by address: send them as data URLs');
  return source;
}

/** Letters, digits, single spaces, hyphens and brackets are all that a name may hold. */
function documentName(name: string | undefined): string | undefined {
  const clean = name
    ?.replace(/[^A-Za-z0-9()[\] -]/g, '-')
    .replace(/ +/g, ' ')
    .trim();
  return clean === '' ? undefined : clean;
}
