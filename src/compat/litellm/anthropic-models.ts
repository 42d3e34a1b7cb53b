import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';

/*
 * The list of models in Anthropic's shape, for callers that name its version: its official clients, and Claude Code, which
 * fills its model picker from it. https://docs.anthropic.com/en/api/models-list
 */

export const anthropicModel = z.object({
  type: z.literal('model'),
  id: z.string(),
  display_name: z.string(),
  created_at: z.string(),
});

export const anthropicList = z.object({
  data: z.array(anthropicModel),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

export const anthropicPaging = {
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
};

const limitDefault = 20;
/** What the API itself says where the day of release is not known. */
const createdAt = '1970-01-01T00:00:00Z';

export function shownToAnthropic(id: string): z.infer<typeof anthropicModel> {
  return { type: 'model', id, display_name: id, created_at: createdAt };
}

export function anthropicPage(
  names: readonly string[],
  asked: {
    readonly limit?: number | undefined;
    readonly after_id?: string | undefined;
    readonly before_id?: string | undefined;
  },
): z.infer<typeof anthropicList> {
  const limit = asked.limit ?? limitDefault;
  const after = placeOf(names, asked.after_id, 'after_id');
  const before = placeOf(names, asked.before_id, 'before_id');
  const from = after !== null ? after + 1 : before === null ? 0 : Math.max(0, before - limit);
  const to = Math.min(from + limit, before ?? names.length);
  const data = names.slice(from, to).map(shownToAnthropic);
  return {
    data,
    has_more: before === null ? to < names.length : from > 0,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

function placeOf(names: readonly string[], id: string | undefined, param: string): number | null {
  if (id === undefined) return null;
  const place = names.indexOf(id);
  if (place !== -1) return place;
  throw new GatewayError('malformed_request', `${param}: there is no model with this id`, { param });
}
