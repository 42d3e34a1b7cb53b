import { awsEventStreamType } from '../../core/aws-event-stream.ts';
import type { Dialect } from '../../core/dialect.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest, passThrough } from './encode-request.ts';
import { converseErrors } from './errors.ts';
import { inspectConverse } from './inspect.ts';
import { ConverseRelay } from './relay.ts';
import { converseResponse } from './response.ts';
import { ConverseStreamDecoder } from './stream-decoder.ts';
import { ConverseStreamEncoder } from './stream-encoder.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and ConverseStream */
export const bedrockConverse: Dialect = Object.freeze({
  name: 'bedrock-converse',
  operation: 'chat',
  inspect: inspectConverse,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough,
  response: converseResponse,
  relay: () => new ConverseRelay(),
  streamDecoder: () => new ConverseStreamDecoder(),
  streamEncoder: () => new ConverseStreamEncoder(),
  errors: converseErrors,
  // Every frame is an event to who reads them.
  heartbeat: null,
  streamContentType: awsEventStreamType,
} satisfies Dialect);
