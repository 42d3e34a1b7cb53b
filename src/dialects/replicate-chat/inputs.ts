import type { CallsAside } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, MediaSource } from '../../core/neutral.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { mediaFromUrl, urlOfMedia } from '../media.ts';
import { inexpressible, refuseParameters } from '../parameter-edits.ts';

/*
 * Every model calls its inputs as its author liked. What a request wants of them stands beside its `input` until the model's
 * own description is here, which says where it goes (https://replicate.com/docs/reference/http#models.get).
 */
export interface Wanted {
  images?: string[];
  audio?: string[];
  files?: string[];
  reasoning_effort?: string;
}

export type MediaKind = 'images' | 'audio' | 'files';

/** How inputs for media are called that are to be looked at, heard or read, and not to be worked on. */
const nameOf: Readonly<Record<MediaKind, RegExp>> = {
  images: /^(?:input_)?(?:images?|image_urls?|img|media|pictures?|photos?)(?:_inputs?)?$|^image_path$/,
  audio: /^(?:input_)?(?:audio|audios|sound|speech|audio_file|audio_path)(?:_input)?$/,
  files: /^(?:input_)?(?:files?|documents?|pdfs?)(?:_inputs?)?$/,
};

const kindOf = { image: 'images', audio: 'audio', file: 'files' } as const;

/** Takes note of a medium; false for what is none. */
export function wantMedium(wanted: Wanted, block: ContentBlock): boolean {
  if (block.type !== 'image' && block.type !== 'audio' && block.type !== 'file') return false;
  const { source } = block;
  if (source.kind === 'id') throw inexpressible('files that are not sent as bytes or by address');
  const kind = kindOf[block.type];
  wanted[kind] = [...(wanted[kind] ?? []), urlOfMedia(source)];
  return true;
}

/** The body with everything in the model's own inputs; null where nothing is asked of them. */
export function placeWanted(body: JsonObject, aside: CallsAside): Promise<JsonObject> | null {
  return isJsonObject(body.wanted) ? placed(body, body.wanted as Wanted, aside) : null;
}

async function placed({ input, wanted: _, ...body }: JsonObject, wanted: Wanted, aside: CallsAside) {
  const model = await aside.known({ method: 'GET', path: aside.path.replace(/\/predictions(?=$|\?)/, '') });
  const inputs = inputsOf(model);
  const own: JsonObject = { ...(input as JsonObject) };
  for (const kind of ['images', 'audio', 'files'] as const) {
    const urls = wanted[kind];
    if (urls === undefined) continue;
    const [name, isList] = placeFor(kind, urls.length, inputs);
    const stored = await Promise.all(urls.map((url) => handedOver(url, aside)));
    own[name] = isList ? stored : stored[0]!;
  }
  const effort = wanted.reasoning_effort;
  if (effort !== undefined) {
    if (inputs.has('reasoning_effort')) own.reasoning_effort = effort;
    else refuseParameters(['reasoning_effort'], aside.options);
  }
  return { ...body, input: own };
}

function inputsOf(model: JsonObject): ReadonlyMap<string, JsonObject> {
  const within = (value: Json | undefined, name: string) => (isJsonObject(value) ? value[name] : undefined);
  const path = ['latest_version', 'openapi_schema', 'components', 'schemas', 'Input', 'properties'];
  const properties = path.reduce<Json | undefined>(within, model);
  if (!isJsonObject(properties)) throw notAnAnswer(path.join('.'));
  return new Map(Object.entries(properties).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])));
}

/** An input that takes as many, one for several before one for one. */
function placeFor(kind: MediaKind, count: number, inputs: ReadonlyMap<string, JsonObject>): [string, boolean] {
  const fitting = [...inputs].filter(([name]) => nameOf[kind].test(name));
  const list = fitting.find(([, { type }]) => type === 'array');
  if (list !== undefined) return [list[0], true];
  const [one] = fitting;
  const what = kind.replace(/s$/, '');
  if (one === undefined) throw inexpressible(`content of type "${what}"`);
  if (count > 1) throw inexpressible(`more than one ${what === 'audio' ? 'sound' : what}`);
  return [one[0], false];
}

/** What is this small may stand in the call itself. */
const inlineBytesMax = 256 * 1024;

/** An address that Replicate can fetch: the caller's own, the medium itself, or that of a file in its store. */
async function handedOver(url: string, aside: CallsAside): Promise<string> {
  if (url.length <= inlineBytesMax || !url.startsWith('data:')) return url;
  const { mediaType, base64 } = mediaFromUrl(url) as Extract<MediaSource, { kind: 'base64' }>;
  const files = aside.path.replace(/\/models\/.*$/, '/files');
  const fileName = `input.${mediaType.split('/')[1]?.replace(/[^a-z0-9]/gi, '') ?? 'bin'}`;
  const content = { name: 'content', fileName, mediaType, bytes: Buffer.from(base64, 'base64') };
  const { id, urls } = await aside.ask({ method: 'POST', path: files, form: [content] });
  if (typeof id === 'string') aside.afterwards({ method: 'DELETE', path: `${files}/${encodeURIComponent(id)}` });
  if (!isJsonObject(urls) || typeof urls.get !== 'string') throw notAnAnswer('urls.get');
  return urls.get;
}
