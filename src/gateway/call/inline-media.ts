import { GatewayError } from '../../core/errors.ts';
import type { Askable } from '../../core/exchange.ts';
import type { ContentBlock, MediaSource, NeutralRequest } from '../../core/neutral.ts';
import type { FetchedMedia } from '../../core/ports.ts';
import type { Gateway } from '../gateway.ts';

/** A request that names more than this is not worth a conversation with so many servers. */
const mediaMax = 20;

/** What was fetched for a request is there for its next attempt. */
const fetchedFor = new WeakMap<Askable, Map<string, Promise<FetchedMedia>>>();

/** Every place of a request that names a medium by an address that can be fetched. */
export function mediaByAddress(request: NeutralRequest): Named[] {
  const found: Named[] = [];
  const visit = (blocks: readonly ContentBlock[]): void => {
    for (const block of blocks) {
      if (block.type === 'tool_result') visit(block.content);
      else if ('source' in block && block.source.kind === 'url' && /^https?:/i.test(block.source.url)) {
        found.push(block as Named);
      }
    }
  };
  for (const message of request.messages) visit(message.content);
  return found;
}

interface Named {
  type: string;
  source: MediaSource;
}

/** Puts the bytes in the place of every address, for a provider that takes bytes only. Rejects with GatewayError. */
export async function bringIn(gateway: Gateway, exchange: Askable, named: readonly Named[]): Promise<void> {
  const limits = exchange.snapshot.settings.mediaFetch;
  if (limits === null) {
    const message = 'This model takes no addresses of images or files, and this gateway fetches none: send data URLs.';
    throw new GatewayError('unsupported_parameter', message, { param: 'messages' });
  }
  if (named.length > mediaMax) {
    const message = `The request names ${named.length} images or files by address; at most ${mediaMax} are fetched.`;
    throw new GatewayError('malformed_request', message, { param: 'messages' });
  }
  let fetched = fetchedFor.get(exchange);
  if (fetched === undefined) {
    fetched = new Map();
    fetchedFor.set(exchange, fetched);
  }
  for (const { source } of named) {
    if (source.kind !== 'url' || fetched.has(source.url)) continue;
    fetched.set(source.url, gateway.media.bring(source.url, limits));
  }
  const all = fetched;
  await Promise.all(
    named.map(async (block) => {
      if (block.source.kind !== 'url') return;
      const { mediaType, base64 } = await (all.get(block.source.url) as Promise<FetchedMedia>);
      block.source = { kind: 'base64', mediaType, base64 };
      // What was named as an image may be a document.
      if (block.type === 'image' && !mediaType.startsWith('image/')) block.type = 'file';
    }),
  );
}
