/**
 * What the fake provider does with one request: plain data, so that a test file, a child process and a seeded generator
 * can all write it. Everything is optional; an empty script is a well-behaved provider.
 */
export interface Script {
  // --- what is answered -------------------------------------------------------------------------------------------
  /** The answer's text; by default a few plausible sentences that follow from the request alone. */
  text?: string;
  /** Text of a reasoning (thinking) block before the answer. */
  reasoning?: string;
  /** Anthropic: the signature closing the thinking block. */
  reasoningSignature?: string;
  /** Anthropic: the data of a redacted_thinking block after the thinking block. */
  redactedReasoning?: string;
  /** OpenAI-compatible servers disagree about the field: DeepSeek and older vLLM say reasoning_content, newer ones reasoning. */
  reasoningField?: 'reasoning_content' | 'reasoning';
  toolCalls?: readonly ScriptedToolCall[];
  /** OpenAI streams: the argument pieces of parallel tool calls alternate, told apart by their index alone. */
  interleaveToolCalls?: boolean;
  /** In the words of the dialect that answers; by default derived (`stop`, `length`, `tool_calls` …). */
  finishReason?: string;
  /** Length of the streamed pieces in characters; by default about one word each. */
  charactersPerPiece?: number;
  /** Never stops producing text until the caller leaves. */
  endless?: boolean;
  ignoreMaxTokens?: boolean;
  /** `none`: silent about usage; `every-event`: running totals on each event; figures replace the realistic defaults. */
  usage?: 'none' | 'every-event' | Partial<FakeUsage>;
  embeddingDimensions?: number;

  // --- how it is answered ------------------------------------------------------------------------------------------
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** The error object of a status of 400 and above, and of `errorAtEvent`. */
  error?: ScriptedError;
  /** Sent in place of the answer, JSON or SSE alike, exactly as it stands. */
  body?: string | Uint8Array;
  /** As `body`, for scripts that travel as JSON. */
  bodyBase64?: string;
  contentType?: string;
  gzip?: boolean;
  /** A wrong Content-Length: this many bytes are announced, whatever is sent. */
  contentLength?: number;
  /** `close`: no length at all, the end of the connection is the end of the body. */
  framing?: 'chunked' | 'length' | 'close';
  sse?: SseStyle;

  // --- when ---------------------------------------------------------------------------------------------------------
  delayBeforeHeadersMs?: number;
  delayBeforeFirstByteMs?: number;
  delayBetweenEventsMs?: number;

  // --- write boundaries --------------------------------------------------------------------------------------------
  /** Size of every write in bytes, or the offsets in the body at which writes are cut. */
  cuts?: number | readonly number[];
  /** Events joined into one write. */
  eventsPerWrite?: number;

  // --- faults -------------------------------------------------------------------------------------------------------
  /** TCP reset. */
  reset?: Moment;
  /** Orderly end of the connection, however incomplete the answer is. */
  fin?: Moment;
  stall?: Stall;
  /** A stream's event of this index is an in-band error instead, and the stream ends there. */
  errorAtEvent?: number;
  /** Streams end without `data: [DONE]` (OpenAI) or message_stop (Anthropic). */
  omitDone?: boolean;
  /** Streams lack the event with finish_reason (OpenAI) or message_delta (Anthropic). */
  omitFinishReason?: boolean;

  // --- billing ------------------------------------------------------------------------------------------------------
  /** What an answer that was not finished costs: what was produced (default), all of it, or nothing. */
  billUnfinished?: 'produced' | 'full' | 'nothing';

  /** Number of requests this script answers when it stands in the queue; 1 by default. */
  times?: number;
}

/** `event: k` is before the k-th event (0 is after the headers); `byte: k` is after k bytes of the body. */
export type Moment = 'before-headers' | { readonly event: number } | { readonly byte: number };

export interface Stall {
  at: Moment;
  /** Comment lines (or Anthropic pings, where `heartbeat` says so) keep the bytes coming while nothing happens. */
  heartbeatEveryMs?: number;
  heartbeat?: string;
  /** Goes on after this long; by default never. */
  forMs?: number;
}

export interface SseStyle {
  lineEnding?: '\n' | '\r\n' | '\r';
  /** `data:x` in place of `data: x`. */
  noSpaceAfterColon?: boolean;
  byteOrderMark?: boolean;
  /** A comment line before each event. */
  comments?: boolean;
  /** JSON spread over several data lines. */
  multilineData?: boolean;
  /** The last event lacks its blank line. */
  unterminatedLastEvent?: boolean;
}

export interface ScriptedToolCall {
  name: string;
  /** JSON text, or a value that is written as JSON. */
  arguments: string | Readonly<Record<string, unknown>>;
  id?: string;
}

export interface ScriptedError {
  message?: string;
  type?: string;
  code?: string | null;
  param?: string | null;
}

/** Disjoint input classes; reasoning tokens are part of the output tokens, as on every provider's bill. */
export interface FakeUsage {
  inputTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  cacheWriteLongTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

/** A `:` first line is an SSE comment: bytes without any event. */
export const commentHeartbeat = ': keep-alive\n\n';
