import type {
  AnswerOptions,
  CallAddress,
  Dialect,
  EncodeOptions,
  FollowUp,
  FollowUpCall,
  RawAnswer,
  RequestFacts,
  ResponseFacts,
  StreamRelay,
} from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { DialectName, Operation } from '../core/operation.ts';
import { eventStreamType } from '../core/server-sent-events.ts';
import type { Upload, UploadedFile, WireBody } from '../core/upload.ts';
import type { Usage } from '../core/usage.ts';
import { malformed } from './body-checks.ts';
import { factsOf } from './error-facts.ts';
import { openaiErrors } from './openai-chat/errors.ts';
import { isError } from './openai-chat/relay.ts';
import { type ParameterFormat, parameterEdits, unsupportedParameters, withEdits } from './parameter-edits.ts';

/** A wire format for something else than a conversation: one body in, one body out. */
export interface TaskFormat<Request, Response extends TaskAnswer> {
  readonly name: DialectName;
  readonly operation: Operation;
  inspect(body: JsonObject, address: CallAddress | undefined, upload: Upload | null | undefined): Partial<RequestFacts>;
  decodeRequest(body: JsonObject, files: readonly UploadedFile[]): Request;
  /** The body but for what the deployment's rules change: these are applied to what it returns. */
  encodeRequest(request: Request, options: EncodeOptions): JsonObject;
  decodeResponse(body: JsonObject): Response;
  encodeResponse(response: Response, options: AnswerOptions): JsonObject;
  /** What the records need of an answer that passes through; by default what decoding it tells. */
  read?(body: JsonObject): ResponseFacts;
  readonly errors?: Dialect['errors'];
  /** Where the model stands in the path instead of the body. */
  readonly modelInPath?: boolean;
  readonly listAnswer?: boolean;
  /** Further edits to a body that stays in its format. */
  edit?(body: JsonObject, edits: Map<string, unknown>, options: EncodeOptions): void;
  /** In place of `encodeRequest`, for what is not JSON. */
  encodeBody?(request: Request, options: EncodeOptions): WireBody;
  encodeBytes?(response: Response, options: AnswerOptions): RawAnswer;
  decodeBytes?(bytes: Buffer, contentType: string): Response;
  followUp?(answer: JsonObject, asked: Omit<FollowUpCall, 'request'> & { request(): Request }): FollowUp | null;
  rawAnswer?(options: AnswerOptions, contentType: string): StreamRelay;
  relay?(options: AnswerOptions): StreamRelay;
  replay?(body: JsonObject, options: AnswerOptions): Buffer;
  readonly session?: Dialect['session'];
}

export interface TaskAnswer {
  id: string;
  model: string;
  usage: Usage | undefined;
}

/** What routing must know of a request that wants figures and nothing special. */
export const plainFacts: RequestFacts = Object.freeze({
  model: undefined,
  stream: false,
  maxOutputTokens: 0,
  choices: 1,
  endUser: undefined,
  usageInStream: false,
  needs: Object.freeze({
    tools: false,
    vision: false,
    audio: false,
    files: false,
    reasoning: false,
    jsonSchema: false,
  }),
  inputUnbounded: false,
  webSearchCallsMax: 0,
});

const noCap: ParameterFormat = { maxTokensNames: [], maxTokensRequired: false };

/**
 * The gateway hands neutral forms from one dialect of an operation to another and never looks into them, so those of other
 * operations travel under the type of conversations.
 */
export function taskDialect<Request extends { model: string }, Response extends TaskAnswer>(
  format: TaskFormat<Request, Response>,
): Dialect {
  const edits = (body: JsonObject, options: EncodeOptions): Map<string, unknown> => {
    const found = parameterEdits(body, options, noCap);
    if (format.modelInPath) {
      if (Object.hasOwn(body, 'model')) found.set('model', undefined);
      else found.delete('model');
    }
    format.edit?.(body, found, options);
    return found;
  };
  const decode = (body: JsonObject): Response => {
    if (isError(body)) {
      throw new GatewayError('upstream_error', factsOf(body).message ?? 'The provider answered with an error.');
    }
    return format.decodeResponse(body);
  };
  const neverStreams = (): never => {
    throw malformed('stream', `${format.operation} requests do not stream`);
  };
  return Object.freeze({
    name: format.name,
    operation: format.operation,
    inspect: (body: JsonObject, address?: CallAddress, upload?: Upload | null) => ({
      ...plainFacts,
      ...format.inspect(body, address, upload),
    }),
    request: {
      decode: (body: JsonObject, files: readonly UploadedFile[] = []) => format.decodeRequest(body, files),
      encode: (request: Request, options: EncodeOptions) => {
        const body = format.encodeRequest(request, options);
        return withEdits(body, edits(body, options));
      },
      ...(format.encodeBody === undefined ? {} : { encodeBody: format.encodeBody }),
    },
    passThrough: edits,
    response: {
      decode,
      encode: format.encodeResponse,
      read: format.read ?? ((body: JsonObject) => answerFacts(decode(body))),
      ...(format.encodeBytes === undefined ? {} : { encodeBytes: format.encodeBytes }),
      ...(format.decodeBytes === undefined ? {} : { decodeBytes: format.decodeBytes }),
    },
    ...(format.rawAnswer === undefined ? {} : { rawAnswer: format.rawAnswer }),
    ...(format.followUp === undefined ? {} : { followUp: format.followUp as unknown as Dialect['followUp'] }),
    ...(format.replay === undefined ? {} : { replay: format.replay }),
    ...(format.session === undefined ? {} : { session: format.session }),
    relay: format.relay ?? neverStreams,
    streamDecoder: neverStreams,
    streamEncoder: neverStreams,
    errors: format.errors ?? openaiErrors,
    heartbeat: null,
    streamContentType: format.relay === undefined ? null : eventStreamType,
    ...(format.listAnswer === undefined ? {} : { listAnswer: format.listAnswer }),
  }) as unknown as Dialect;
}

function answerFacts({ id, model, usage }: TaskAnswer): ResponseFacts {
  return { id: id || undefined, model: model || undefined, usage, finishReason: null, outputBytes: 0 };
}

/** What a format cannot say: refused by name, or left out where the operator allows it. undefined and null ask for nothing. */
export function leaveOut(options: EncodeOptions, asked: Readonly<Record<string, unknown>>): void {
  if (options.dropParams) return;
  const names = Object.keys(asked).filter(
    (name) => asked[name] !== undefined && asked[name] !== null && !options.additionalDropParams.includes(name),
  );
  if (names.length > 0) throw unsupportedParameters(names);
}

/** The members of an object that hold something. */
export function given(members: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}
