import type { MediaSource } from '../core/neutral.ts';

/** `data:image/png;base64,…` or an address. A data URL in another encoding than base64 is turned into base64. */
export function mediaFromUrl(url: string): MediaSource {
  if (!url.startsWith('data:')) return { kind: 'url', url };
  const comma = url.indexOf(',');
  const head = url.slice(5, comma === -1 ? undefined : comma);
  const payload = comma === -1 ? '' : url.slice(comma + 1);
  const mediaType = head.split(';', 1)[0] || 'text/plain';
  if (head.endsWith(';base64')) return { kind: 'base64', mediaType, base64: payload };
  return { kind: 'base64', mediaType, base64: Buffer.from(decodePercent(payload)).toString('base64') };
}

export function urlOfMedia(source: MediaSource): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.base64}`;
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
