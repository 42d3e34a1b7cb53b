import type { AnswerPlace } from '../../core/answer-place.ts';
import type { Log, ResponseCache } from '../../core/ports.ts';
import type { Sender } from '../sinks/post.ts';
import { googleBucket, s3Bucket } from './buckets.ts';
import { DiskAnswers } from './disk.ts';
import { ObjectAnswers } from './objects.ts';

/** Where the operator wants cached answers kept; null = in memory or in Redis. `googleToken`: for credentials as written. */
export function openAnswers(
  place: AnswerPlace | undefined,
  sender: Sender,
  log: Log,
  googleToken: (written: string | null) => Promise<string>,
): ResponseCache | null {
  if (place === undefined) return null;
  switch (place.kind) {
    case 'disk':
      return new DiskAnswers(place.folder, place.bytesMax, sender.clock, log);
    case 's3':
      return new ObjectAnswers(s3Bucket(place, sender), sender.clock, log);
    case 'gcs': {
      const { credentials } = place;
      const token = () => googleToken(credentials?.reveal() ?? null);
      return new ObjectAnswers(googleBucket(place, sender, token), sender.clock, log);
    }
  }
}
