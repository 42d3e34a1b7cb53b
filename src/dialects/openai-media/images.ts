import type { AnswerOptions, EncodeOptions, RequestFacts } from '../../core/dialect.ts';
import { type FormField, formBody } from '../../core/form.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ImageRequest, ImageResponse, MediaFile } from '../../core/neutral-media.ts';
import type { DialectName } from '../../core/operation.ts';
import type { UploadedFile } from '../../core/upload.ts';
import { malformed, optionalString, requiredString, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { inexpressible } from '../parameter-edits.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { filesOf, flagOf, numberOf, refuseEmpty } from './form-fields.ts';
import { eventText, MediaEventRelay } from './relays.ts';
import { mediaUsage, toldUsage } from './usage.ts';

type Format = TaskFormat<ImageRequest, ImageResponse>;

/** More than any model's largest image is made of. */
const tokensPerImageMax = 16_384;
const imagesMax = 10;

const fields: ReadonlySet<string> = new Set([
  'model',
  'prompt',
  'n',
  'size',
  'quality',
  'output_format',
  'response_format',
  'seed',
  'negative_prompt',
  'stream',
  'user',
  'image',
  'mask',
]);

function inspect(body: JsonObject, imagesIn: number): Partial<RequestFacts> {
  const count = numberOf(body, 'n', { whole: true, least: 1, most: imagesMax }) ?? 1;
  const size = optionalString(body, 'size') ?? '1024x1024';
  const quality = optionalString(body, 'quality');
  for (const name of ['response_format', 'output_format', 'negative_prompt']) optionalString(body, name);
  // What the provider chooses is priced as the dearest it can choose.
  const isOpen = size === 'auto' || quality === 'auto';
  return {
    model: optionalString(body, 'model'),
    stream: flagOf(body, 'stream') ?? false,
    endUser: optionalString(body, 'user') || undefined,
    maxOutputTokens: tokensPerImageMax,
    choices: count,
    units: {
      images: count,
      ...(isOpen ? {} : { imageKind: quality === undefined ? size : `${quality}/${size}` }),
    },
    ...(imagesIn > 0 ? { mediaTokensMax: imagesIn * tokensPerImageMax } : {}),
  };
}

function decode(body: JsonObject, images: MediaFile[], mask: MediaFile | undefined): ImageRequest {
  const delivery = optionalString(body, 'response_format');
  return {
    model: optionalString(body, 'model') ?? '',
    prompt: optionalString(body, 'prompt') ?? '',
    images,
    mask,
    count: numberOf(body, 'n', { whole: true, least: 1, most: imagesMax }),
    size: optionalString(body, 'size'),
    quality: optionalString(body, 'quality'),
    outputFormat: optionalString(body, 'output_format'),
    delivery: delivery === 'b64_json' ? 'base64' : delivery === 'url' ? 'url' : undefined,
    seed: numberOf(body, 'seed', { whole: true, least: 0 }),
    negativePrompt: optionalString(body, 'negative_prompt'),
    stream: flagOf(body, 'stream') ?? false,
    endUser: optionalString(body, 'user') || undefined,
    extra: unknownMembers(body, fields),
  };
}

function written(request: ImageRequest, options: EncodeOptions): JsonObject {
  leaveOut(options, { negative_prompt: request.negativePrompt, seed: request.seed });
  return {
    ...request.extra,
    ...given({
      model: options.model,
      prompt: request.prompt === '' ? undefined : request.prompt,
      n: request.count,
      size: request.size,
      quality: request.quality,
      output_format: request.outputFormat,
      response_format: request.delivery === 'base64' ? 'b64_json' : request.delivery,
      stream: request.stream ? true : undefined,
      user: request.endUser,
    }),
  };
}

function decodeResponse(body: JsonObject): ImageResponse {
  if (!Array.isArray(body.data)) throw notAnAnswer('data');
  return {
    id: '',
    model: '',
    createdAt: typeof body.created === 'number' ? body.created : undefined,
    images: body.data.map((entry, index) => imageOf(entry, index)),
    usage: mediaUsage(body.usage),
    extra: unknownMembers(body, answerFields),
  };
}

const answerFields: ReadonlySet<string> = new Set(['created', 'data', 'usage']);

function imageOf(entry: Json, index: number): ImageResponse['images'][number] {
  if (!isJsonObject(entry)) throw notAnAnswer(`data[${index}]`);
  return {
    ...(typeof entry.url === 'string' ? { url: entry.url } : {}),
    ...(typeof entry.b64_json === 'string' ? { base64: entry.b64_json } : {}),
    ...(typeof entry.revised_prompt === 'string' ? { revisedPrompt: entry.revised_prompt } : {}),
  };
}

function encodeResponse({ images, createdAt, usage, extra }: ImageResponse, options: AnswerOptions): JsonObject {
  return {
    created: createdAt ?? options.createdAt,
    ...extra,
    data: images.map(({ url, base64, revisedPrompt }) =>
      given({ url, b64_json: base64, revised_prompt: revisedPrompt }),
    ),
    ...(usage === undefined ? {} : { usage: toldUsage(usage) }),
  };
}

/** A whole answer as the events of a stream without partial images. */
function replay(kind: string) {
  return (body: JsonObject, options: AnswerOptions): Buffer => {
    const { data, usage, created, ...rest } = body;
    const images = Array.isArray(data) ? data : [];
    const events = images.map((image, index) =>
      eventText({
        type: `${kind}.completed`,
        created_at: created ?? options.createdAt,
        ...rest,
        ...(isJsonObject(image) ? image : {}),
        ...(index === images.length - 1 && usage !== undefined ? { usage } : {}),
      }),
    );
    return Buffer.from(events.join(''));
  };
}

const streamed = { relay: () => new MediaEventRelay() };
const answers = { decodeResponse, encodeResponse };

/** https://platform.openai.com/docs/api-reference/images/create */
export const openaiImages: Format = {
  name: 'openai-images',
  operation: 'image',
  inspect: (body) => {
    requiredString(body, 'prompt');
    return inspect(body, 0);
  },
  decodeRequest: (body) => decode(body, [], undefined),
  encodeRequest: (request, options) => {
    if (request.images.length > 0) throw inexpressible('changing images', 'image');
    return written(request, options);
  },
  ...answers,
  ...streamed,
  replay: replay('image_generation'),
};

function imageForm(name: DialectName, needsPrompt: boolean): Format {
  const imagesIn = (files: readonly UploadedFile[]) => filesOf(files, 'image');
  return {
    name,
    operation: 'image',
    inspect: (body, _address, upload) => {
      if (needsPrompt) requiredString(body, 'prompt');
      const { files = [] } = upload ?? {};
      const count = files.filter(({ field }) => field === 'image' || field === 'image[]').length;
      if (count === 0) throw malformed('image', 'expected at least one file');
      refuseEmpty(files);
      return inspect(body, count + 1);
    },
    decodeRequest: (body, files) => decode(body, imagesIn(files), filesOf(files, 'mask')[0]),
    encodeRequest: written,
    encodeBody: (request, options) => {
      if (request.images.length === 0) throw malformed('image', 'expected at least one file');
      const isOne = request.images.length === 1;
      const texts = Object.entries(written(request, options)).map(
        ([field, value]): FormField => ({
          name: field,
          value: typeof value === 'string' ? value : JSON.stringify(value),
        }),
      );
      const files = request.images.map((file): FormField => ({ name: isOne ? 'image' : 'image[]', ...file }));
      const mask = request.mask === undefined ? [] : [{ name: 'mask', ...request.mask }];
      return formBody([...texts, ...files, ...mask]);
    },
    ...answers,
    ...streamed,
    replay: replay('image_edit'),
  };
}

/** https://platform.openai.com/docs/api-reference/images/createEdit */
export const openaiImageEdits = imageForm('openai-image-edits', true);

/** https://platform.openai.com/docs/api-reference/images/createVariation */
export const openaiImageVariations = imageForm('openai-image-variations', false);
