import type { BatchPlace, ConnectionSettings } from '../../core/provider.ts';
import { addressIn, folderIn } from '../batch-store.ts';
import { textOf } from './identity.ts';
import { signed, suffixOf } from './signing.ts';

/** Amazon's own names for addresses in the place of the public ones. */
export const jobsVariables: readonly string[] = ['AWS_ENDPOINT_URL_BEDROCK', 'AWS_ENDPOINT_URL_S3'];

/** Batch jobs, where the operator names a bucket and the role that reads and writes in it. */
export function jobsPlace(
  settings: ConnectionSettings,
  region: string,
  model: (model: string) => string,
): BatchPlace | undefined {
  const written = textOf(settings.extra.s3_bucket_name);
  const role = textOf(settings.extra.aws_batch_role_arn);
  if (written === undefined || role === undefined) return undefined;
  const { AWS_ENDPOINT_URL_BEDROCK: ownJobs, AWS_ENDPOINT_URL_S3: ownFiles } = settings.environment ?? {};
  const jobs = ownJobs ?? `https://bedrock.${region}.${suffixOf(region)}`;
  const signedJobs = settings.credential === null ? signed(settings, region, 'bedrock') : undefined;
  const filesRegion = textOf(settings.extra.s3_region_name) ?? region;
  const uri = folderIn('s3', written);
  const bucket = uri.slice('s3://'.length).split('/')[0]!;
  const s3 = textOf(settings.extra.s3_endpoint_url) ?? ownFiles;
  // A name with dots is no name of a host that a certificate covers.
  const files =
    s3 !== undefined || bucket.includes('.')
      ? `${(s3 ?? `https://s3.${filesRegion}.${suffixOf(filesRegion)}`).replace(/\/+$/, '')}/${bucket}`
      : `https://${bucket}.s3.${filesRegion}.${suffixOf(filesRegion)}`;
  const { s3_access_key_id: id, s3_secret_access_key: secret } = settings.extra;
  const asOwner =
    id === undefined || secret === undefined
      ? settings
      : { ...settings, extra: { ...settings.extra, aws_access_key_id: id, aws_secret_access_key: secret } };
  const signedFiles = signed(asOwner, filesRegion, 's3');
  return {
    at: (room, tail) =>
      room === 'files'
        ? { ...addressIn(files, tail), authorize: signedFiles }
        : { ...addressIn(jobs, tail), ...(signedJobs !== undefined && { authorize: signedJobs }) },
    model,
    store: { uri, role },
  };
}
