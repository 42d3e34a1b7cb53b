import { describe, expect, it } from 'vitest';
import { answerPlace } from './answer-place.ts';
import type { Environment } from './environment.ts';
import { loadConfigText } from './load.ts';

function placed(params: string, environment: Environment = {}) {
  const { config, diagnostics } = loadConfigText(
    `litellm_settings: {cache: true, cache_params: {${params}}}`,
    'config.yaml',
    environment,
  );
  expect(diagnostics).toEqual([]);
  return answerPlace(config!.sections, environment);
}

describe('where cached answers are kept', () => {
  it('is a folder, by default in the data folder', () => {
    expect(placed('type: disk')).toEqual({ kind: 'disk', folder: './data/answers', bytesMax: 1024 ** 3 });
    expect(placed('type: disk, disk_cache_dir: /a, max_bytes: 5')).toMatchObject({ folder: '/a', bytesMax: 5 });
  });

  it('is a bucket, with what the environment says where nothing is written', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };
    expect(placed('type: s3, s3_bucket_name: b, s3_path: /in/here/', keys)).toMatchObject({
      ...{ kind: 's3', endpoint: 'https://s3.eu-west-1.amazonaws.com', bucket: 'b', region: 'eu-west-1' },
      ...{ prefix: 'in/here/', identity: { accessKeyId: 'id', sessionToken: null } },
    });
    expect(placed('type: gcs, gcs_bucket_name: b, gcs_path_service_account: /a.json')).toMatchObject({
      ...{ kind: 'gcs', endpoint: 'https://storage.googleapis.com', bucket: 'b', prefix: '' },
    });
  });

  it('says what is missing', () => {
    expect(placed('type: s3')).toBe('s3_bucket_name is needed');
    expect(placed('type: s3, s3_bucket_name: b')).toMatch(/s3_aws_access_key_id and .* are needed/);
    expect(placed('type: gcs')).toBe('gcs_bucket_name is needed');
    expect(placed('type: redis')).toBeUndefined();
  });
});
