import { awsEventStreamType } from '../../core/aws-event-stream.ts';
import type { Dialect } from '../../core/dialect.ts';
import { converseErrors } from '../bedrock-converse/errors.ts';

/** What all bodies of this call have in common: how failures are told and how a stream is framed. */
export function ofInvoke({
  heartbeat: _,
  ...dialect
}: Omit<Dialect, 'name' | 'errors' | 'streamContentType'>): Dialect {
  const name = 'bedrock-invoke';
  return Object.freeze({
    ...dialect,
    name,
    errors: converseErrors,
    heartbeat: null,
    streamContentType: awsEventStreamType,
  });
}
