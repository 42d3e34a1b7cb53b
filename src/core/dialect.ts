import type { GatewayError } from './errors.ts';
import type { FormField } from './form.ts';
import type { JsonObject } from './json.ts';
import type { NeutralRequest, NeutralResponse, StreamPart } from './neutral.ts';
import type { DialectName, Operation } from './operation.ts';
import type { SessionFormat } from './session-format.ts';
import type { Upload, UploadedFile, WireBody } from './upload.ts';
import type { Usage, UsageUnits } from './usage.ts';

/**
 * A wire format, both ways. The gateway drives it in this order:
 *  1. `inspect` the caller's body → what routing and admission must know (no full decode);
 *  2. same dialect on both sides → the bytes pass with the edits of `passThrough`; else `request.decode` → neutral →
 *     the provider dialect's `request.encode`;
 *  3. the answer the same way back: `relay` for streams in one dialect, `streamDecoder` + `streamEncoder` for two,
 *     `response.*` for whole bodies. Whatever reads an answer returns its usage with it, so it cannot be forgotten;
 *  4. `errors` tells every failure in the caller's own words.
 */
export interface Dialect {
  readonly name: DialectName;
  readonly operation: Operation;
  /**
   * Another dialect whose bodies these are: what differs is the address, how a stream is framed, a few members. A provider
   * that speaks the other one gets the body as it is, but for the edits of `passThrough`.
   */
  readonly variantOf?: DialectName;
  /** For a format whose bodies are of several kinds: the one of this body. Throws like `inspect`. */
  kindOf?(body: JsonObject, address?: CallAddress): Dialect;
  /** Throws GatewayError('malformed_request') naming the field, what is wrong and what would be right. */
  inspect(body: JsonObject, address?: CallAddress, upload?: Upload | null): RequestFacts;
  readonly request: {
    /** Throws GatewayError('malformed_request') for what this dialect does not allow. */
    decode(body: JsonObject, files?: readonly UploadedFile[]): NeutralRequest;
    /** Throws GatewayError('unsupported_parameter') for what it cannot express, unless `options` drops it. */
    encode(request: NeutralRequest, options: EncodeOptions): JsonObject;
    /** In place of `encode`, where a body is not JSON or the address says a part of it. */
    encodeBody?(request: NeutralRequest, options: EncodeOptions): WireBody;
  };
  /** Edits to a body that stays in this dialect: the gateway writes them into the bytes as sent. */
  passThrough(body: JsonObject, options: EncodeOptions): BodyEdits;
  readonly response: {
    /** Throws GatewayError('upstream_connection') when the body is not an answer in this dialect. */
    decode(body: JsonObject): NeutralResponse;
    encode(response: NeutralResponse, options: AnswerOptions): JsonObject;
    /** What the records need from a body that passes through. Throws like `decode`. */
    read(body: JsonObject): ResponseFacts;
    /** Edits to an answer that stays in this dialect, where more than the member `model` is the caller's own. */
    restamp?(body: JsonObject, options: AnswerOptions): BodyEdits;
    /** In place of `encode`, where the answer is not JSON, or not always. */
    encodeBytes?(response: NeutralResponse, options: AnswerOptions): RawAnswer;
    /** An answer that is not JSON. */
    decodeBytes?(bytes: Buffer, contentType: string): NeutralResponse;
  };
  /**
   * For a provider that must be given or asked something before the request's own call: media into its store, what a
   * model's inputs are called. The body as it goes on; null where this one needs nothing. Rejects with a GatewayError.
   */
  prepare?(body: JsonObject, aside: CallsAside): Promise<JsonObject> | null;
  /** For a provider that answers in steps: what is asked next; null where this is the answer. */
  followUp?(answer: JsonObject, asked: FollowUpCall): FollowUp | null;
  /** For answers that are passed on as they are, whatever they are: sound, subtitles. */
  rawAnswer?(options: AnswerOptions, contentType: string): StreamRelay;
  /** The stream of a whole answer, for a format whose streams are not made of a conversation's parts. */
  replay?(body: JsonObject, options: AnswerOptions): Buffer;
  /** For a stream that stays in this dialect. */
  relay(options: AnswerOptions): StreamRelay;
  streamDecoder(): StreamDecoder;
  streamEncoder(options: AnswerOptions): StreamEncoder;
  readonly errors: {
    encode(error: GatewayError, requestId: string): JsonObject;
    /** The bytes that end a broken stream after the commit point. */
    streamEvent(error: GatewayError, requestId: string): Uint8Array;
    /** Reads a provider's error answer; a body in no known format (HTML, garbage) gives facts without a message. */
    decode(status: number, body: Uint8Array): UpstreamErrorFacts;
  };
  /** Where a conversation stands in a body, if not in `messages`. */
  readonly conversationField?: string;
  /** Answers are bare lists: here they stand in an object, `{list: […]}`. */
  readonly listAnswer?: boolean;
  /** How a request goes on from what was kept of earlier ones; absent in formats that keep nothing. */
  readonly continuation?: Continuation;
  /** For a format of sessions over a WebSocket: a new one. */
  readonly session?: () => SessionFormat;
  /** Bytes that keep a silent stream alive without meaning anything, null where the format has none. */
  readonly heartbeat: Uint8Array | null;
  /** `content-type` of a stream; null for a format without streams. */
  readonly streamContentType: string | null;
}

/** For a format whose requests may go on from earlier answers or belong to a conversation that is kept. */
export interface Continuation {
  wishes(body: JsonObject): KeepingWishes;
  /** What this request adds to the conversation. */
  items(body: JsonObject): JsonObject[];
  /** Edits that put earlier items before the request's own, and name nothing that is kept. */
  withItems(body: JsonObject, earlier: readonly JsonObject[]): BodyEdits;
  /** Edits that name the earlier answer by its provider's own id. */
  withAnswer(body: JsonObject, id: string): BodyEdits;
  output(answer: JsonObject): JsonObject[];
  /** The whole answer, where this data of a stream's event holds it. */
  lastAnswer(data: string): JsonObject | undefined;
  /** An answer that is not there: waited for, given up, or failed. */
  withoutOutput(facts: AnswerWithoutOutput): JsonObject;
}

/** Calls beside a request's own, none of which costs anything: over with its time, or when its client leaves. */
export interface CallsAside {
  /** Of the request's own call. */
  readonly path: string;
  readonly options: EncodeOptions;
  /** Rejects with a GatewayError in the provider's words when it refuses. */
  ask(call: CallAside): Promise<JsonObject>;
  /** The answer to an earlier request's same call, where it is not old. */
  known(call: CallAside): Promise<JsonObject>;
  /** Made once the request is over, whatever became of it. */
  afterwards(call: CallAside): void;
}

export interface CallAside {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly form?: readonly FormField[];
}

export interface FollowUpCall {
  /** Of the first call. */
  readonly path: string;
  readonly options: EncodeOptions;
  /** What the caller asked for. */
  request(): NeutralRequest;
}

export interface FollowUp {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: JsonObject | null;
  readonly afterMs: number;
}

export interface KeepingWishes {
  readonly previousId: string | undefined;
  readonly conversationId: string | undefined;
  /** May the answer be kept, so that others go on from it? */
  readonly keeps: boolean;
  /** The caller does not wait: it asks for the answer later. */
  readonly background: boolean;
}

export interface AnswerWithoutOutput {
  readonly id: string;
  readonly request: JsonObject;
  readonly model: string;
  readonly status: 'queued' | 'in_progress' | 'cancelled' | 'failed';
  readonly error: GatewayError | null;
  /** Unix seconds. */
  readonly createdAt: number;
}

export interface RawAnswer {
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** What the address of a call says besides its body. */
export interface CallAddress {
  /** The model named by the path; it overrides the body's. */
  readonly model: string | undefined;
  /** Whether the path asks for a stream; undefined where the body says so. */
  readonly stream: boolean | undefined;
  /** As sent, without its `?`. */
  readonly query: string;
  /** Of a request that is passed through: where a model may be named. */
  readonly path?: string;
}

/** What routing and admission must know about a request. */
export interface RequestFacts {
  /** As the caller wrote it; undefined when absent (a default may name it). */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The caller's cap on output tokens; undefined when absent. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers are asked for (`n`, `best_of`, number of prompts). */
  readonly choices: number;
  /** End user named in the body by the dialect's own field. */
  readonly endUser: string | undefined;
  /** Did the caller ask for usage in the stream? */
  readonly usageInStream: boolean;
  readonly needs: CapabilityNeeds;
  /** True when the input cannot be bounded by the body's bytes (remote images, file ids, stored conversations). */
  readonly inputUnbounded: boolean;
  /** Calls of provider-run tools the request allows; undefined when it allows them without a bound. */
  readonly webSearchCallsMax: number | undefined;
  /** What is asked for in measures other than tokens: counts where the provider tells no figures of its own. */
  readonly units?: UsageUnits;
  /** The most it can become, where that is more. */
  readonly unitsMax?: UsageUnits;
  /** Upper bound of the tokens of media that do not stand in the body (an uploaded file). */
  readonly mediaTokensMax?: number;
}

export interface CapabilityNeeds {
  readonly tools: boolean;
  readonly vision: boolean;
  readonly audio: boolean;
  readonly files: boolean;
  readonly reasoning: boolean;
  readonly jsonSchema: boolean;
}

export interface EncodeOptions {
  /** The upstream model name. */
  readonly model: string;
  /** Drop unsupported parameters silently instead of refusing. */
  readonly dropParams: boolean;
  readonly additionalDropParams: readonly string[];
  readonly allowedParams: readonly string[];
  /** Takes the names that would have been refused, were they not allowed. */
  readonly letThrough?: Set<string>;
  /** May repair invalid histories. */
  readonly modifyParams: boolean;
  /** Written where the format requires a maximum and the caller gave none. */
  readonly maxOutputTokensDefault: number;
  /** A maximum the gateway imposes (clamping); undefined leaves the caller's. */
  readonly maxOutputTokensClamp: number | undefined;
  /** Deployment defaults in the provider's dialect: written where the caller gave nothing. */
  readonly defaults: JsonObject;
  /** Deployment additions that always apply (`extra_body`). */
  readonly extraBody: JsonObject;
  /** Gateway-only fields that must not travel on. */
  readonly gatewayFields: ReadonlySet<string>;
  /** How the provider is asked for usage in a stream. */
  readonly usageInStream: 'stream_options' | 'always' | 'never';
  readonly traits: ModelTraits;
  /** Whether a stream is asked for, for a body that does not say so itself. */
  readonly stream?: boolean;
  /** The caller wrote in this format: what of it is unknown here may be known to its provider. */
  readonly isOwnFormat?: boolean;
}

/** What a model's own rules make of otherwise common parameters. */
export interface ModelTraits {
  /** Wants `max_completion_tokens` and refuses most sampling parameters. */
  readonly reasoningModel: boolean;
  readonly supportsJsonSchema: boolean;
  readonly supportsImageUrls: boolean;
  /** Thinks for as long as it sees fit (`thinking: adaptive` with an effort) instead of up to a token budget. */
  readonly adaptiveThinking?: boolean;
  /** How the model is made to go on with an answer that has begun; absent where it always begins anew. */
  readonly continuation?: ContinuationFields;
  /** Thinks up to a level (`low` … `high`) instead of a token budget. */
  readonly thinkingLevels?: boolean;
  /** Understands `cache_control`, `thinking` and `thinking_blocks` in an OpenAI-style request. */
  readonly anthropicExtensions?: boolean;
  /** The only one of the provider's formats that serves this model. */
  readonly soleDialect?: DialectName;
  /** Formats of callers that go on in another one, although the provider speaks them. */
  readonly dialectInstead?: Readonly<Partial<Record<DialectName, DialectName>>>;
  /** Parameters the provider refuses, in the provider's dialect. */
  readonly unsupportedParams: readonly string[];
}

/** What a request needs besides the begun answer as its last message: members of that message, and of the body. */
export interface ContinuationFields {
  readonly lastMessage: JsonObject;
  readonly body: JsonObject;
}

/** Top-level members to set (undefined removes) in a body that otherwise stays as sent, byte for byte. */
export type BodyEdits = ReadonlyMap<string, unknown>;

export interface AnswerOptions {
  /** The model name the caller must read; undefined leaves the provider's. */
  readonly model: string | undefined;
  /** Did the caller ask for usage in the stream? When not, what we asked for is taken out again. */
  readonly usageInStream: boolean;
  readonly requestId: string;
  /** Unix seconds, where the provider gives none. */
  readonly createdAt: number;
  /** The caller's own request, for formats whose answer repeats parts of it. */
  readonly request?: { readonly body: JsonObject };
  /** Dollars that usage comes to; set where the end of a stream is to tell it. */
  readonly costOf?: (usage: Usage) => number;
  /** Reasoning is told as a part of the content, where the format knows such a habit. */
  readonly mergesReasoning?: boolean;
  /** Turns a provider's id of an answer into the one the caller may use to come back to it. */
  readonly answerId?: (id: string) => string;
}

export interface ResponseFacts {
  readonly id: string | undefined;
  readonly model: string | undefined;
  /** undefined when the provider was silent. */
  readonly usage: Usage | undefined;
  readonly finishReason: string | null;
  /** UTF-8 bytes of generated text and tool arguments: the upper bound of its tokens when usage is missing. */
  readonly outputBytes: number;
}

export interface UpstreamErrorFacts {
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly kind: 'context_window' | 'content_policy' | undefined;
  readonly fields: JsonObject | undefined;
}

/** What a stream has shown so far; the same for relays and translations. Mutated in place, read after each push. */
export interface StreamProgress {
  /** True from the first byte of content (text, reasoning, tool call) that the client would see. */
  contentStarted: boolean;
  /** `complete` only after the format's own terminal event; an end of bytes before it is a broken stream. */
  ending: 'open' | 'complete' | 'error';
  /** The provider's error, told inside the stream. */
  error: (UpstreamErrorFacts & { readonly status: number | undefined }) | undefined;
  usage: Usage | undefined;
  /** False while `usage` holds only what was known at the start (the input side): the output is then to be estimated. */
  usageComplete: boolean;
  finishReason: string | null;
  responseId: string | undefined;
  responseModel: string | undefined;
  /** UTF-8 bytes of generated text and tool arguments so far, rounded up: the bound of its tokens when usage is missing. */
  outputBytes: number;
  /** Events that mean something, so that an idle timer is not fooled by comments and pings. */
  events: number;
}

/**
 * Upstream bytes in, client bytes out, for one stream. Whole events only: what is cut waits for its rest. An error that
 * the provider tells inside the stream is not passed on: `progress` holds it, and the gateway ends the stream with
 * `errors.streamEvent`.
 */
export interface StreamRelay {
  readonly progress: StreamProgress;
  /** Set for bytes in which nothing else can be told: a stream of them that breaks is dropped. */
  readonly rawContentType?: string;
  /** Returns what the client gets for this chunk, or null for nothing yet. Throws GatewayError on an unreadable stream. */
  push(chunk: Uint8Array): Uint8Array | null;
  /** The upstream ended: returns what is still owed (a last event without its blank line), or null. */
  end(): Uint8Array | null;
}

/**
 * Provider side of a translation: bytes in, parts appended to the list given. The part `end` comes only after the
 * format's own terminal event (or what counts as one); a stream without it is broken. Keep a StreamProgress with
 * `observePart` of core/stream-progress.ts.
 */
export interface StreamDecoder {
  push(chunk: Uint8Array, parts: StreamPart[]): void;
  end(parts: StreamPart[]): void;
}

/**
 * Caller side of a translation. Returns zero or more whole events as text, or as bytes where the format is no text;
 * nothing for the part `error`, which the gateway tells with `errors.streamEvent`.
 */
export interface StreamEncoder {
  encode(part: StreamPart): string | Uint8Array;
}
