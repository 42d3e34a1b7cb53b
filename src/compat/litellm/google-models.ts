import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { VisibleModel } from '../../admin/visible-models.ts';
import { maximumInput, maximumOutput } from './model-limits.ts';

/* The list of models as Google's clients read it. */

export const googleModel = z.object({
  name: z.string(),
  baseModelId: z.string(),
  version: z.string(),
  displayName: z.string(),
  inputTokenLimit: z.number().optional(),
  outputTokenLimit: z.number().optional(),
  supportedGenerationMethods: z.array(z.string()),
});

export const googleList = z.object({ models: z.array(googleModel), nextPageToken: z.string().optional() });

export const googlePaging = {
  pageSize: z.coerce.number().int().positive().optional(),
  pageToken: z.string().optional(),
};

/** Google's clients ask at `/v1beta` or, as they are told, at `/v1`. */
export function isGoogleClient(headers: IncomingHttpHeaders): boolean {
  return headers['x-goog-api-key'] !== undefined;
}

export function googlePage(all: readonly VisibleModel[], paging: { pageSize?: number; pageToken?: string }) {
  const start = Number(paging.pageToken ?? 0) || 0;
  const end = start + Math.min(paging.pageSize ?? 50, 1_000);
  const more = end < all.length ? { nextPageToken: String(end) } : {};
  return { models: all.slice(start, end).map(asGoogleLists), ...more };
}

export function asGoogleLists(model: VisibleModel): z.infer<typeof googleModel> {
  const { name, deployments: all } = model;
  const inputTokenLimit = maximumInput(model);
  const outputTokenLimit = maximumOutput(model);
  const chats = all.some(({ operations }) => operations.includes('chat'));
  const embeds = !chats && all.some(({ operations }) => operations.includes('embedding'));
  return {
    name: `models/${name}`,
    baseModelId: name,
    version: '001',
    displayName: name,
    ...(inputTokenLimit === undefined ? {} : { inputTokenLimit }),
    ...(outputTokenLimit === undefined ? {} : { outputTokenLimit }),
    supportedGenerationMethods: embeds
      ? ['embedContent', 'batchEmbedContents']
      : ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}
