import type { AnswerPlace } from '../core/answer-place.ts';
import { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';
import type { Sections } from './schema/sections.ts';

const bytesMaxDefault = 1024 * 1024 * 1024;

/** Where `cache_params` puts cached answers; undefined = memory or Redis; a text says what is missing. */
export function answerPlace(sections: Sections, environment: Environment): AnswerPlace | string | undefined {
  const params = sections.litellm_settings?.cache_params ?? {};
  const { max_bytes: bytesMax = bytesMaxDefault } = params;
  switch (params.type) {
    case 'disk': {
      const folder = params.disk_cache_dir ?? `${sections.general_settings?.data_folder ?? './data'}/answers`;
      return { kind: 'disk', folder, bytesMax };
    }
    case 's3': {
      const bucket = params.s3_bucket_name;
      if (bucket === undefined) return 's3_bucket_name is needed';
      const set = (name: string) => environment[name]?.trim() || undefined;
      const secret = (name: string) => (set(name) === undefined ? undefined : new Secret(set(name)!));
      const region = params.s3_region_name ?? set('AWS_REGION') ?? set('AWS_DEFAULT_REGION') ?? 'us-east-1';
      const accessKeyId = params.s3_aws_access_key_id?.reveal() ?? set('AWS_ACCESS_KEY_ID');
      const secretAccessKey = params.s3_aws_secret_access_key ?? secret('AWS_SECRET_ACCESS_KEY');
      if (accessKeyId === undefined || secretAccessKey === undefined) {
        return 's3_aws_access_key_id and s3_aws_secret_access_key (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) are needed';
      }
      const endpoint = params.s3_endpoint_url ?? `https://s3.${region}.amazonaws.com`;
      if (!isAddress(endpoint)) return 's3_endpoint_url is no address';
      const sessionToken = params.s3_aws_session_token ?? secret('AWS_SESSION_TOKEN') ?? null;
      const identity = { accessKeyId, secretAccessKey, sessionToken };
      return { kind: 's3', endpoint, bucket, region, prefix: folderOf(params.s3_path), identity };
    }
    case 'gcs': {
      const bucket = params.gcs_bucket_name ?? environment.GCS_BUCKET_NAME;
      if (bucket === undefined) return 'gcs_bucket_name is needed';
      const endpoint = (params.gcs_endpoint_url ?? 'https://storage.googleapis.com').replace(/\/+$/, '');
      const file = params.gcs_path_service_account ?? environment.GCS_PATH_SERVICE_ACCOUNT;
      const credentials = file === undefined ? null : new Secret(file);
      return { kind: 'gcs', endpoint, bucket, prefix: folderOf(params.gcs_path), credentials };
    }
    default:
      return undefined;
  }
}

function folderOf(path: string | undefined): string {
  const folder = path?.replace(/^\/+|\/+$/g, '') ?? '';
  return folder === '' ? '' : `${folder}/`;
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
