import type { AwsIdentity } from './aws-signature.ts';
import type { Secret } from './secret.ts';

/** Where cached answers are kept, if neither in memory nor in Redis. */
export type AnswerPlace = DiskPlace | S3Bucket | GoogleBucket;

export interface DiskPlace {
  readonly kind: 'disk';
  readonly folder: string;
  readonly bytesMax: number;
}

export interface S3Bucket {
  readonly kind: 's3';
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Before the name of every object. */
  readonly prefix: string;
  readonly identity: AwsIdentity;
}

export interface GoogleBucket {
  readonly kind: 'gcs';
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
  /** Key file of a service account, or its path; null = who the machine is signed in as. */
  readonly credentials: Secret | null;
}
