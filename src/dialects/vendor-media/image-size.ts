import type { EncodeOptions } from '../../core/dialect.ts';
import type { ImageRequest } from '../../core/neutral-media.ts';
import { malformed } from '../body-checks.ts';
import { leaveOut } from '../task-dialect.ts';

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** `1024x768` in pixels; undefined when the size is left to the model. */
export function pixelsOf({ size }: ImageRequest): PixelSize | undefined {
  if (size === undefined || size === 'auto') return undefined;
  const match = /^(\d{2,5})x(\d{2,5})$/.exec(size);
  if (match === null) throw malformed('size', 'expected WIDTHxHEIGHT in pixels, such as 1024x1024');
  return { width: Number(match[1]), height: Number(match[2]) };
}

/** The nearest of the shapes that a vendor knows (`16:9`). */
export function nearestRatio(size: PixelSize | undefined, ratios: readonly string[]): string | undefined {
  if (size === undefined) return undefined;
  const distance = (ratio: string) => {
    const [width = 1, height = 1] = ratio.split(':').map(Number);
    return Math.abs(Math.log(width / height) - Math.log(size.width / size.height));
  };
  return [...ratios].sort((one, other) => distance(one) - distance(other))[0];
}

/** What makers of images other than OpenAI do not know. */
export function refuseForeign(
  request: ImageRequest,
  options: EncodeOptions,
  more: Readonly<Record<string, unknown>> = {},
): void {
  leaveOut(options, { quality: request.quality === 'auto' ? undefined : request.quality, ...more });
}
