import type { Mutation } from '../../admin/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { isJsonObject } from '../../core/json.ts';
import type { KeyRecord } from '../../core/store.ts';

/*
 * `rpm_limit_type` and `tpm_limit_type` of a key: `guaranteed_throughput` promises the key its limit, so it is refused
 * where its team's limit does not hold it beside the limits of the team's other keys.
 */

export const limitTypes = ['guaranteed_throughput', 'best_effort_throughput', 'dynamic'] as const;

export type LimitedKey = Pick<KeyRecord, 'id' | 'teamId' | 'rpmLimit' | 'tpmLimit' | 'extra'>;

const kinds = [
  { name: 'RPM', column: 'rpmLimit', param: 'rpm_limit', perModel: 'model_rpm_limit', type: 'rpm_limit_type' },
  { name: 'TPM', column: 'tpmLimit', param: 'tpm_limit', perModel: 'model_tpm_limit', type: 'tpm_limit_type' },
] as const;

/** Whether a change has to do with what a key is promised: any other change stays possible in a team whose limit was lowered. */
export function changesLimits(columns: Partial<KeyRecord>): boolean {
  return ['rpmLimit', 'tpmLimit', 'teamId', 'extra'].some((name) => name in columns);
}

/** Throws GatewayError('malformed_request') for a key that is promised more than its team has left. */
export async function requireGuaranteedRoom({ repositories }: Mutation, key: LimitedKey, now: number): Promise<void> {
  const guaranteed = kinds.filter(({ type }) => key.extra[type] === limitTypes[0]);
  if (guaranteed.length === 0 || key.teamId === null) return;
  const team = await repositories.teams.get(key.teamId);
  if (team === undefined) return;
  const others = (await repositories.keys.list({ where: { teamId: key.teamId, replacedBy: null } })).filter(
    ({ id, expiresAt }) => id !== key.id && (expiresAt === null || expiresAt > now),
  );
  for (const { name, column, param, perModel } of guaranteed) {
    requireRoom(
      name,
      param,
      key[column],
      others.map((other) => other[column]),
      team[column],
    );
    for (const [model, wanted] of Object.entries(limitsByModel(key.extra[perModel]))) {
      const given = others.map((other) => limitsByModel(other.extra[perModel])[model] ?? null);
      requireRoom(`${name} (${model})`, perModel, wanted, given, limitsByModel(team.extra[perModel])[model] ?? null);
    }
  }
}

function requireRoom(
  name: string,
  param: string,
  wanted: number | null,
  given: readonly (number | null)[],
  most: number | null,
): void {
  if (wanted === null || most === null) return;
  const allocated = given.reduce<number>((sum, limit) => sum + (limit ?? 0), 0);
  if (allocated + wanted <= most) return;
  throw new GatewayError(
    'malformed_request',
    `Allocated ${name} limit=${allocated} + Key ${name} limit=${wanted} is greater than team ${name} limit=${most}`,
    { param },
  );
}

function limitsByModel(written: Json | undefined): Readonly<Record<string, number>> {
  if (!isJsonObject(written)) return {};
  return Object.fromEntries(
    Object.entries(written).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
