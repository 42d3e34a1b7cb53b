import type { BodyEdits } from '../../core/dialect.ts';
import type { BodyCall } from '../../core/provider.ts';

/*
 * Anthropic's messages behind InvokeModel: the path says model and stream, the body the version and the betas, and a
 * stream's events come in Amazon's frames.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 */

const version = 'bedrock-2023-05-31';

export function invokeEdits({ body, headers }: BodyCall): BodyEdits {
  const given = headers['anthropic-beta'];
  const betas = (Array.isArray(given) ? given.join(',') : (given ?? '')).split(',').map((beta) => beta.trim());
  const asked = Array.isArray(body.anthropic_beta) ? body.anthropic_beta.map(String) : [];
  const all = [...new Set([...asked, ...betas.filter((beta) => beta !== '')])];
  return new Map<string, unknown>([
    ['model', undefined],
    ['stream', undefined],
    ['anthropic_version', typeof body.anthropic_version === 'string' ? body.anthropic_version : version],
    ['anthropic_beta', all.length === 0 ? undefined : all],
  ]);
}
