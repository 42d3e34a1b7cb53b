import type { RequestRecord } from './request-record.ts';

/*
 * Thousands of requests differ in their figures alone: who asked, for what, and who answered is the same. What they have
 * in common is one object, so that whatever is made of it (label sets, encoded attributes, JSON) is made once and found by it.
 */

const properties = [
  'operation',
  'dialect',
  'path',
  'status',
  'httpStatus',
  'errorCode',
  'keyId',
  'keyAlias',
  'userId',
  'teamId',
  'organizationId',
  'modelAsked',
  'modelGroup',
  'deploymentId',
  'provider',
  'modelUsed',
  'apiBase',
  'priceSource',
  'stream',
  'cacheHit',
  'finishReason',
] as const satisfies readonly (keyof RequestRecord)[];

export type RecordKind = Readonly<Pick<RequestRecord, (typeof properties)[number]>>;

/** Kinds of one key at one deployment. */
const kindsMax = 8;
/** Pairs of deployment and key. */
const pairsMax = 5_000;

let pairs = new Map<string | null, Map<string | null, RecordKind[]>>();
let pairCount = 0;

/** The kind that a record is of: the same object for all that are alike. */
export function kindOf(record: RequestRecord): RecordKind {
  const kinds = kindsAt(record.deploymentId, record.keyId);
  for (let index = 0; index < kinds.length; index++) if (isOf(kinds[index]!, record)) return kinds[index]!;
  const kind = Object.fromEntries(properties.map((name) => [name, record[name]])) as unknown as RecordKind;
  // The one that has been known longest gives way.
  if (kinds.push(kind) > kindsMax) kinds.shift();
  return kind;
}

function kindsAt(deploymentId: string | null, keyId: string | null): RecordKind[] {
  let ofDeployment = pairs.get(deploymentId);
  let kinds = ofDeployment?.get(keyId);
  if (kinds !== undefined) return kinds;
  if (++pairCount > pairsMax) {
    pairs = new Map();
    pairCount = 1;
    ofDeployment = undefined;
  }
  if (ofDeployment === undefined) {
    ofDeployment = new Map();
    pairs.set(deploymentId, ofDeployment);
  }
  kinds = [];
  ofDeployment.set(keyId, kinds);
  return kinds;
}

/** Spelled out: a loop over names would look each of them up. */
function isOf(kind: RecordKind, record: RequestRecord): boolean {
  return (
    kind.status === record.status &&
    kind.modelAsked === record.modelAsked &&
    kind.modelUsed === record.modelUsed &&
    kind.httpStatus === record.httpStatus &&
    kind.stream === record.stream &&
    kind.finishReason === record.finishReason &&
    kind.operation === record.operation &&
    kind.dialect === record.dialect &&
    kind.path === record.path &&
    kind.errorCode === record.errorCode &&
    kind.keyAlias === record.keyAlias &&
    kind.userId === record.userId &&
    kind.teamId === record.teamId &&
    kind.organizationId === record.organizationId &&
    kind.modelGroup === record.modelGroup &&
    kind.provider === record.provider &&
    kind.apiBase === record.apiBase &&
    kind.priceSource === record.priceSource &&
    kind.cacheHit === record.cacheHit
  );
}
