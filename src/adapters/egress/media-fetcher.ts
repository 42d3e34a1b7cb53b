import { isIP } from 'node:net';
import { GatewayError } from '../../core/errors.ts';
import type { FetchedMedia, MediaFetcher, MediaLimits } from '../../core/ports.ts';
import { isForbidden } from './forbidden-addresses.ts';
import { ForbiddenAddress, guardedLookup, type Resolve, systemResolve } from './guarded-lookup.ts';

const redirectsMax = 3;
const connectMs = 5_000;
const mediaTypes = /^(image|audio|video)\/[\w.+-]+$|^application\/pdf$|^text\/plain$/;

/**
 * Fetches images, sounds and documents that a caller named by address. No credential travels with it, nothing of the
 * answer but the bytes of a medium comes back, and only public addresses are asked: at every hop again.
 */
export class GuardedMediaFetcher implements MediaFetcher {
  readonly #resolve: Resolve;

  constructor(resolve: Resolve = systemResolve) {
    this.#resolve = resolve;
  }

  async bring(address: string, limits: MediaLimits): Promise<FetchedMedia> {
    const shown = shownAddress(address);
    const deadline = AbortSignal.timeout(limits.timeoutMs);
    let next = address;
    for (let hops = 0; hops <= redirectsMax; hops++) {
      const url = this.#checked(next, shown, limits);
      const step = await this.#get(url, shown, limits, deadline);
      if ('media' in step) return step.media;
      if (!URL.canParse(step.location, url.href)) throw refused(shown, 'it was redirected to what is no address');
      next = new URL(step.location, url).href;
    }
    throw refused(shown, `it was redirected more than ${redirectsMax} times`);
  }

  #checked(address: string, shown: string, limits: MediaLimits): URL {
    if (!URL.canParse(address)) throw refused(shown, 'it is not an address');
    const url = new URL(address);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw refused(shown, 'only https:// and http:// addresses are fetched');
    }
    if (url.username !== '' || url.password !== '') throw refused(shown, 'it holds a user name or password');
    if (isAllowed(url, limits)) return url;
    const host = bareHost(url);
    if (isIP(host) !== 0 && isForbidden(host)) throw refused(shown, new ForbiddenAddress(host).message);
    return url;
  }

  async #get(
    url: URL,
    shown: string,
    limits: MediaLimits,
    signal: AbortSignal,
  ): Promise<{ readonly media: FetchedMedia } | { readonly location: string }> {
    // Loaded at the first use: the package's index brings much that the data path never needs.
    const { Client } = await import('undici');
    const lookup = isAllowed(url, limits) ? {} : { lookup: guardedLookup(this.#resolve) };
    const client = new Client(url.origin, { connect: { timeout: connectMs, ...lookup }, pipelining: 0 });
    try {
      const answer = await client.request({
        method: 'GET',
        path: url.pathname + url.search,
        headers: { accept: 'image/*, audio/*, application/pdf', 'accept-encoding': 'identity' },
        signal,
      });
      const { statusCode, headers, body } = answer;
      const { location } = headers;
      if (statusCode >= 301 && statusCode <= 308 && typeof location === 'string') return { location };
      if (statusCode !== 200) throw refused(shown, `it answered ${statusCode}`);
      const mediaType = mediaTypeOf(headers['content-type']);
      if (mediaType === null) throw refused(shown, 'what it answered is no image, sound or document');
      if (Number(headers['content-length']) > limits.bytesMax) throw tooLarge(shown, limits);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limits.bytesMax) throw tooLarge(shown, limits);
        chunks.push(chunk);
      }
      return { media: { mediaType, base64: Buffer.concat(chunks, size).toString('base64') } };
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      throw refused(shown, reasonOf(cause, signal));
    } finally {
      void client.destroy();
    }
  }
}

/** Hosts that the operator opened, such as an object store of their own: `host` or `host:port`. */
function isAllowed(url: URL, { allowedHosts }: MediaLimits): boolean {
  return allowedHosts.has(url.host) || allowedHosts.has(bareHost(url));
}

function bareHost({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function mediaTypeOf(header: string | string[] | undefined): string | null {
  const type = typeof header === 'string' ? header.split(';', 1)[0]!.trim().toLowerCase() : '';
  return mediaTypes.test(type) ? type : null;
}

function reasonOf(cause: unknown, signal: AbortSignal): string {
  if (cause instanceof ForbiddenAddress) return cause.message;
  if (signal.aborted) return 'it took too long';
  return 'it could not be reached';
}

/** Without what may hold a secret: user and password, the query with its signature, the fragment. */
function shownAddress(address: string): string {
  const plain = address.split(/[?#]/, 1)[0]!;
  return plain.replace(/^([^/]*\/\/)?[^/]*@/, '$1').slice(0, 200);
}

function refused(shown: string, why: string): GatewayError {
  return new GatewayError(
    'malformed_request',
    `The media at ${shown} could not be fetched: ${why}. This model takes no addresses, so the gateway fetches them; send the bytes as a data URL instead.`,
    { param: 'messages' },
  );
}

function tooLarge(shown: string, { bytesMax }: MediaLimits): GatewayError {
  return refused(shown, `it is larger than ${bytesMax} bytes`);
}
