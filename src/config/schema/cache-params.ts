import type { z } from 'zod';
import { count, fraction, key, map, oneOf, seconds, secret, text, texts } from '../field.ts';
import { redisKeys } from './redis-address.ts';

export const cacheTypes = [
  'local',
  'redis',
  'redis-semantic',
  'qdrant-semantic',
  's3',
  'gcs',
  'disk',
  'azure-blob',
] as const;

/** `litellm_settings.cache_params`. */
export const cacheParams = map({
  type: key(oneOf(...cacheTypes), 'Where answers are kept.', 'local'),
  ttl: key(seconds(), 'How long an answer is kept.', '600'),
  namespace: key(text(), 'Prefix of cache keys.'),
  supported_call_types: key(
    texts(),
    'Calls whose answers are kept (`acompletion`, `aembedding` …); an empty list keeps none.',
    'all',
  ),
  mode: key(
    oneOf('default_on', 'default_off'),
    'With `default_off` a request has to ask: `"cache": {"use-cache": true}`.',
    'default_on',
  ),
  default_in_memory_ttl: key(seconds(), 'The same as `ttl`, for the memory cache.'),
  default_in_redis_ttl: key(seconds(), 'The same as `ttl`, for Redis.'),
  max_connections: key(count(), 'Accepted; each process has one connection for calls and one for changes.'),

  ...redisKeys,
  redis_flush_size: key(count(), 'Accepted; what is written at one moment is sent together.'),
  gcp_service_account: key(text(), 'Service account for Redis on Google Cloud.'),

  similarity_threshold: key(fraction(), 'Semantic cache: how alike two prompts must be.'),
  redis_semantic_cache_embedding_model: key(text(), 'Semantic cache in Redis: embedding group.'),
  redis_semantic_cache_index_name: key(text(), 'Semantic cache in Redis: index.'),
  qdrant_api_base: key(text(), 'Qdrant address.'),
  qdrant_api_key: key(secret(), 'Qdrant key.'),
  qdrant_collection_name: key(text(), 'Qdrant collection.'),
  qdrant_quantization_config: key(oneOf('binary', 'scalar', 'product'), 'Qdrant quantization.'),
  qdrant_semantic_cache_embedding_model: key(text(), 'Semantic cache in Qdrant: embedding group.'),
  qdrant_semantic_cache_vector_size: key(count(), 'Semantic cache in Qdrant: vector size.'),
  s3_bucket_name: key(text(), '`type: s3`: bucket of the answers. Read at the start, like all of these.'),
  s3_region_name: key(text(), 'S3 region.'),
  s3_aws_access_key_id: key(secret(), 'S3 access key id.'),
  s3_aws_secret_access_key: key(secret(), 'S3 secret access key.'),
  s3_aws_session_token: key(secret(), 'S3 session token.'),
  s3_endpoint_url: key(text(), 'S3 address.'),
  s3_path: key(text(), 'Folder in the bucket.'),
  gcs_bucket_name: key(text(), 'Google Cloud Storage bucket.'),
  gcs_path_service_account: key(text(), 'Google service account file.'),
  gcs_path: key(text(), 'Folder in the bucket.'),
  gcs_endpoint_url: key(text(), 'Ours: address of Cloud Storage.', 'https://storage.googleapis.com'),
  disk_cache_dir: key(
    text(),
    '`type: disk`: folder of the answers; processes over one folder share them.',
    '`answers` in the data folder',
  ),
  scope: key(oneOf('key', 'team', 'global'), 'Ours: who shares cached answers.', 'team'),
  max_bytes: key(
    count(),
    'Ours: memory for cached answers, in bytes; with `type: disk`, room in the folder.',
    '104857600; 1 GiB on disk',
  ),
});

export type CacheParams = z.output<typeof cacheParams>;
