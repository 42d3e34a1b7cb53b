import type { RequestFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { type FormField, formBody } from '../../core/form.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ImageRequest, ImageResponse } from '../../core/neutral-media.ts';
import type { DialectName } from '../../core/operation.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { inexpressible } from '../parameter-edits.ts';
import { predictionFollowUp, predictionOutput } from '../replicate-prediction.ts';
import { given, type TaskFormat } from '../task-dialect.ts';
import { nearestRatio, pixelsOf, refuseForeign } from './image-size.ts';

type Format = TaskFormat<ImageRequest, ImageResponse>;

/** Formats that only providers speak: no caller's request is ever read in them. */
function spokenByProviders(
  name: DialectName,
): Pick<Format, 'name' | 'operation' | 'inspect' | 'decodeRequest' | 'encodeResponse'> {
  const never = (): never => {
    throw new GatewayError('internal', `${name} is spoken by providers only`);
  };
  return {
    name,
    operation: 'image',
    inspect: never as () => Partial<RequestFacts>,
    decodeRequest: never,
    encodeResponse: never,
  };
}

function answer(images: ImageResponse['images']): ImageResponse {
  return { id: '', model: '', createdAt: undefined, images, usage: undefined, extra: {} };
}

function onlyFromText({ images }: ImageRequest): void {
  if (images.length > 0) throw inexpressible('changing images', 'image');
}

/** A list of addresses or data URLs. */
function imagesOf(list: readonly unknown[]): ImageResponse['images'] {
  return list.map((url, index) => {
    if (typeof url !== 'string') throw notAnAnswer(`image ${index}`);
    const match = /^data:[^;,]+;base64,/.exec(url);
    return match === null ? { url } : { base64: url.slice(match[0].length) };
  });
}

const strengthDefault = 0.65;

/** https://platform.stability.ai/docs/api-reference#tag/Generate: a form in, an image in JSON out */
export const stabilityImages: Format = {
  ...spokenByProviders('stability-images'),
  encodeRequest: () => ({}),
  encodeBody: (request, options) => {
    refuseForeign(request, options, {
      n: request.count === undefined || request.count === 1 ? undefined : request.count,
      response_format: request.delivery === 'url' ? 'url' : undefined,
      stream: request.stream || undefined,
    });
    const [image] = request.images;
    if (options.model.startsWith('core')) onlyFromText(request);
    const ratios = ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'];
    // How far an image may be left behind must be said.
    const strength = image === undefined ? {} : { strength: strengthDefault };
    const values = given({
      ...strength,
      ...options.defaults,
      ...request.extra,
      prompt: request.prompt,
      negative_prompt: request.negativePrompt,
      seed: request.seed,
      output_format: request.outputFormat,
      aspect_ratio: image === undefined ? nearestRatio(pixelsOf(request), ratios) : undefined,
      // One address serves several models of the third generation.
      model: options.model.startsWith('sd3') && options.model !== 'sd3' ? options.model : undefined,
      ...(image !== undefined && options.model.startsWith('sd3') ? { mode: 'image-to-image' } : {}),
      ...options.extraBody,
    });
    const fields = Object.entries(values).map(([name, value]): FormField => ({ name, value: String(value) }));
    return formBody(image === undefined ? fields : [...fields, { name: 'image', ...image }]);
  },
  decodeResponse: (body) => {
    if (body.finish_reason === 'CONTENT_FILTERED') {
      throw new GatewayError('content_policy_violation', 'The image was withheld by a filter of its content.');
    }
    if (typeof body.image !== 'string') throw notAnAnswer('image');
    return answer([{ base64: body.image }]);
  },
};

/** https://docs.fal.ai/model-apis: the model is the path */
export const falImages: Format = {
  ...spokenByProviders('fal-images'),
  modelInPath: true,
  encodeRequest: (request, options) => {
    onlyFromText(request);
    refuseForeign(request, options, { stream: request.stream || undefined });
    const size = pixelsOf(request);
    return {
      ...request.extra,
      ...given({
        prompt: request.prompt,
        negative_prompt: request.negativePrompt,
        num_images: request.count,
        image_size: size === undefined ? undefined : { ...size },
        output_format: request.outputFormat,
        seed: request.seed,
        // Otherwise an image is only an address.
        sync_mode: request.delivery === 'base64' ? true : undefined,
      }),
    };
  },
  decodeResponse: ({ images, image }) => {
    const list = Array.isArray(images) ? images : isJsonObject(image) ? [image] : undefined;
    if (list === undefined) throw notAnAnswer('images');
    return answer(imagesOf(list.map((one) => (isJsonObject(one) ? one.url : one))));
  },
};

/** https://replicate.com/docs/reference/http#models.predictions.create, waiting for the end (`Prefer: wait`) */
export const replicateImages: Format = {
  ...spokenByProviders('replicate-images'),
  modelInPath: true,
  encodeRequest: (request, options) => {
    onlyFromText(request);
    refuseForeign(request, options, {
      response_format: request.delivery === 'base64' ? 'b64_json' : undefined,
      stream: request.stream || undefined,
    });
    const ratios = ['1:1', '16:9', '21:9', '3:2', '2:3', '4:5', '5:4', '9:16', '9:21', '4:3', '3:4'];
    return {
      input: {
        ...request.extra,
        ...given({
          prompt: request.prompt,
          negative_prompt: request.negativePrompt,
          num_outputs: request.count,
          aspect_ratio: nearestRatio(pixelsOf(request), ratios),
          output_format: request.outputFormat === 'jpeg' ? 'jpg' : request.outputFormat,
          seed: request.seed,
        }),
      },
    };
  },
  followUp: predictionFollowUp,
  decodeResponse: (body) => answer(imagesOf(predictionOutput(body))),
};

/** https://ai.google.dev/gemini-api/docs/imagen and Vertex AI's `predict` */
export const imagenImages: Format = {
  ...spokenByProviders('imagen-images'),
  modelInPath: true,
  encodeRequest: (request, options) => {
    onlyFromText(request);
    refuseForeign(request, options, {
      response_format: request.delivery === 'url' ? 'url' : undefined,
      negative_prompt: request.negativePrompt,
      stream: request.stream || undefined,
    });
    const { outputFormat } = request;
    return {
      instances: [{ prompt: request.prompt }],
      parameters: {
        ...request.extra,
        ...given({
          sampleCount: request.count ?? 1,
          aspectRatio: nearestRatio(pixelsOf(request), ['1:1', '3:4', '4:3', '9:16', '16:9']),
          seed: request.seed,
          outputOptions: outputFormat === undefined ? undefined : { mimeType: `image/${outputFormat}` },
        }),
      },
    };
  },
  decodeResponse: ({ predictions }) => {
    // What its filters withhold is left out, all of it perhaps.
    if (predictions === undefined) {
      throw new GatewayError('content_policy_violation', 'Every image was withheld by a filter of their content.');
    }
    if (!Array.isArray(predictions)) throw notAnAnswer('predictions');
    const images = predictions.filter(isJsonObject).filter((one) => typeof one.bytesBase64Encoded === 'string');
    return answer(images.map((one) => ({ base64: one.bytesBase64Encoded as string })));
  },
};

/** https://huggingface.co/docs/inference-providers/tasks/text-to-image: the image itself is the answer */
export const textToImage: Format = {
  ...spokenByProviders('text-to-image'),
  modelInPath: true,
  encodeRequest: (request, options) => {
    onlyFromText(request);
    refuseForeign(request, options, {
      n: request.count === undefined || request.count === 1 ? undefined : request.count,
      response_format: request.delivery === 'url' ? 'url' : undefined,
      output_format: request.outputFormat,
      stream: request.stream || undefined,
    });
    const parameters = given({
      ...request.extra,
      ...pixelsOf(request),
      negative_prompt: request.negativePrompt,
      seed: request.seed,
    });
    return { inputs: request.prompt, ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
  },
  decodeResponse: () => {
    throw notAnAnswer('an image');
  },
  decodeBytes: (bytes) => answer([{ base64: bytes.toString('base64') }]),
};

/** https://docs.together.ai/reference/post-images-generations: OpenAI's but for the size */
export const togetherImages: Format = {
  ...spokenByProviders('together-images'),
  encodeRequest: (request, options) => {
    onlyFromText(request);
    refuseForeign(request, options, { stream: request.stream || undefined });
    const { delivery } = request;
    return {
      ...request.extra,
      ...given({
        model: options.model,
        prompt: request.prompt,
        negative_prompt: request.negativePrompt,
        n: request.count,
        ...pixelsOf(request),
        seed: request.seed,
        output_format: request.outputFormat,
        response_format: delivery,
      }),
    };
  },
  decodeResponse: ({ data }) => {
    if (!Array.isArray(data)) throw notAnAnswer('data');
    return answer(data.filter(isJsonObject).map((one: JsonObject) => given({ url: one.url, base64: one.b64_json })));
  },
};
