import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ImageBlock, MediaSource } from '../../core/neutral.ts';
import { mediaFromUrl, urlOfMedia } from '../media.ts';

/*
 * Images that a model made, in a member beside the text of its message: not OpenAI's, but what OpenRouter and LiteLLM
 * agree on. https://openrouter.ai/docs/features/multimodal/image-generation
 */

export function encodeImage(source: MediaSource, index: number): JsonObject {
  return { index, type: 'image_url', image_url: { url: urlOfMedia(source) } };
}

export function decodeImages({ images }: JsonObject): ImageBlock[] {
  if (!Array.isArray(images)) return [];
  return images.flatMap((image): ImageBlock[] => {
    const named = isJsonObject(image) ? image.image_url : undefined;
    const url = isJsonObject(named) ? named.url : named;
    return typeof url === 'string' ? [{ type: 'image', source: mediaFromUrl(url) }] : [];
  });
}
