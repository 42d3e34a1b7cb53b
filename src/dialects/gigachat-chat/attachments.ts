import type { CallsAside } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { mediaFromUrl } from '../media.ts';
import { inexpressible } from '../parameter-edits.ts';

/*
 * Images, sounds and documents lie in the service's own store, and messages name them by their ids there
 * (https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-file). Until they are there, a message holds each as
 * a data URL in the place of its id.
 */

/** What a part of a message attaches; null for a part that is no medium. */
export function attachmentOf(part: JsonObject): string | null {
  const { type, image_url: image, input_audio: audio, file } = part;
  if (type === 'image_url' && isJsonObject(image)) return bytesOnly(String(image.url), 'images');
  if (type === 'input_audio' && isJsonObject(audio)) return `data:audio/${audio.format};base64,${audio.data}`;
  if (type !== 'file' || !isJsonObject(file)) return null;
  if (typeof file.file_data !== 'string') {
    if (typeof file.file_id === 'string') return file.file_id;
    throw inexpressible('files that are not sent as bytes');
  }
  const { filename: name, file_data: data } = file;
  const url = bytesOnly(data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`, 'files');
  return typeof name === 'string'
    ? url.replace(';base64,', `;name=${encodeURIComponent(name.toWellFormed())};base64,`)
    : url;
}

function bytesOnly(url: string, what: string): string {
  if (url.startsWith('data:')) return url;
  throw inexpressible(`${what} by address`);
}

export function isImage(attachment: string | null): boolean {
  return attachment?.startsWith('data:image/') === true;
}

/** The same as a part again. */
export function partOf(attachment: Json): JsonObject {
  const url = String(attachment);
  if (!url.startsWith('data:')) return { type: 'file', file: { file_id: url } };
  const { mediaType, base64, name } = mediumIn(url);
  if (mediaType.startsWith('image/')) return { type: 'image_url', image_url: { url } };
  if (mediaType.startsWith('audio/')) {
    return { type: 'input_audio', input_audio: { format: mediaType.slice('audio/'.length), data: base64 } };
  }
  return { type: 'file', file: { filename: name, file_data: `data:${mediaType};base64,${base64}` } };
}

/** Whether a message attaches what is neither seen nor heard. */
export function readsDocuments(messages: readonly JsonObject[]): boolean {
  return messages.some(
    ({ attachments }) =>
      Array.isArray(attachments) && attachments.some((one) => /^data:(?!image\/|audio\/)/.test(String(one))),
  );
}

/** Puts what is attached into the store; null where nothing is. Each medium goes there once, and away after the request. */
export function storeAttachments(body: JsonObject, aside: CallsAside): Promise<JsonObject> | null {
  const messages = body.messages as JsonObject[];
  const urls = messages.flatMap(({ attachments }) => (Array.isArray(attachments) ? attachments : [])).map(String);
  const toStore = [...new Set(urls)].filter((url) => url.startsWith('data:'));
  return toStore.length === 0 ? null : stored(body, messages, toStore, aside);
}

async function stored(
  body: JsonObject,
  messages: readonly JsonObject[],
  urls: readonly string[],
  aside: CallsAside,
): Promise<JsonObject> {
  const ids = new Map<string, string>();
  await Promise.all(urls.map(async (url) => ids.set(url, await idInStore(url, aside))));
  return {
    ...body,
    messages: messages.map(({ attachments, ...message }) =>
      Array.isArray(attachments)
        ? { ...message, attachments: attachments.map((one) => ids.get(String(one)) ?? one) }
        : message,
    ),
  };
}

async function idInStore(url: string, aside: CallsAside): Promise<string> {
  const files = aside.path.replace(/\/chat\/completions(?=$|\?)/, '/files');
  const { mediaType, base64, name } = mediumIn(url);
  const file = { name: 'file', fileName: name, mediaType, bytes: Buffer.from(base64, 'base64') };
  const { id } = await aside.ask({ method: 'POST', path: files, form: [file, { name: 'purpose', value: 'general' }] });
  if (typeof id !== 'string') throw notAnAnswer('id');
  aside.afterwards({ method: 'POST', path: files.replace(/(?=$|\?)/, `/${encodeURIComponent(id)}/delete`) });
  return id;
}

/** The endings of the kinds of files that the store takes, where they are not the end of their type. */
const endings: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'audio/mpeg': 'mp3',
  'audio/x-wav': 'wav',
  'text/plain': 'txt',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
};

function mediumIn(url: string): { mediaType: string; base64: string; name: string } {
  const source = mediaFromUrl(url);
  const { mediaType, base64 } = source.kind === 'base64' ? source : { mediaType: '', base64: '' };
  const given = /^data:[^,]*;name=((?:[^;,%]|%[0-9A-F]{2})*);base64,/.exec(url)?.[1];
  const ending = endings[mediaType] ?? mediaType.split('/')[1]?.replace(/[^a-z0-9]/gi, '') ?? 'bin';
  return { mediaType, base64, name: given === undefined ? `attachment.${ending}` : decodeURIComponent(given) };
}
