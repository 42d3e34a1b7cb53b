import type { Json, JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/**
 * The neutral form between two dialects: small, made of content blocks, with a place for what a vendor adds
 * (`extra`, keyed by the dialect that understands it), so that nothing is silently lost. What the target dialect cannot
 * express is an error that names the field, or dropped by name where the operator allows it.
 */
export interface NeutralRequest {
  model: string;
  stream: boolean;
  /** System text in order; kept as blocks because cache marks hang on them. */
  system: TextBlock[];
  messages: NeutralMessage[];
  tools: NeutralTool[];
  toolChoice: ToolChoice | undefined;
  parallelToolCalls: boolean | undefined;
  maxOutputTokens: number | undefined;
  temperature: number | undefined;
  topP: number | undefined;
  topK: number | undefined;
  stop: string[];
  seed: number | undefined;
  choices: number | undefined;
  presencePenalty: number | undefined;
  frequencyPenalty: number | undefined;
  responseFormat: ResponseFormat | undefined;
  reasoning: ReasoningOptions | undefined;
  endUser: string | undefined;
  logprobs: { topLogprobs: number | undefined } | undefined;
  serviceTier: string | undefined;
  includeUsageInStream: boolean;
  /** Fields the caller's dialect does not know, by name, as sent. */
  extra: JsonObject;
}

export interface NeutralMessage {
  role: 'user' | 'assistant';
  name?: string;
  content: ContentBlock[];
}

export type CacheMark = JsonObject;

export interface TextBlock {
  type: 'text';
  text: string;
  cacheMark?: CacheMark;
  annotations?: Json[];
}
export interface ImageBlock {
  type: 'image';
  source: MediaSource;
  detail?: string;
  cacheMark?: CacheMark;
}
export interface AudioBlock {
  type: 'audio';
  source: MediaSource;
  format: string;
}
export interface FileBlock {
  type: 'file';
  source: MediaSource | { kind: 'id'; id: string };
  name?: string;
  cacheMark?: CacheMark;
  extra?: JsonObject;
}
export interface ToolCallBlock {
  type: 'tool_call';
  id: string;
  name: string;
  /** JSON text exactly as the model wrote it. */
  arguments: string;
  /** A call of a tool that takes free text: `arguments` is `{"input": text}`. */
  custom?: true;
  cacheMark?: CacheMark;
}
export interface ToolResultBlock {
  type: 'tool_result';
  toolCallId: string;
  content: (TextBlock | ImageBlock | FileBlock)[];
  isError?: boolean;
  cacheMark?: CacheMark;
}
export interface ReasoningBlock {
  type: 'reasoning';
  text: string;
  /** The provider's signature over the text; must travel back untouched. */
  signature?: string;
  /** Encrypted reasoning that only its provider can read; `text` is empty then. */
  redacted?: string;
}
export interface RefusalBlock {
  type: 'refusal';
  text: string;
}
/** A block only one dialect knows (server tools, citations …): survives the way back to that dialect, an error to others. */
export interface VendorBlock {
  type: 'vendor';
  dialect: string;
  block: JsonObject;
}
export type ContentBlock =
  | TextBlock
  | ImageBlock
  | AudioBlock
  | FileBlock
  | ToolCallBlock
  | ToolResultBlock
  | ReasoningBlock
  | RefusalBlock
  | VendorBlock;

export type MediaSource =
  | { kind: 'base64'; mediaType: string; base64: string }
  | { kind: 'url'; url: string; mediaType?: string };

export interface NeutralTool {
  name: string;
  description?: string;
  /** JSON Schema of the arguments. */
  parameters?: JsonObject;
  strict?: boolean;
  cacheMark?: CacheMark;
  /**
   * A tool that takes free text, as the caller described it, perhaps with a grammar. To formats without such tools it is
   * a function with the one parameter `input`.
   */
  custom?: { description?: string; format?: JsonObject };
  /** A tool the provider runs itself, as the named dialect writes it. */
  vendor?: { dialect: string; tool: JsonObject };
}

export type ToolChoice = { type: 'auto' | 'none' | 'required' } | { type: 'tool'; name: string };

export type ResponseFormat =
  | { type: 'text' | 'json_object' }
  | { type: 'json_schema'; name: string; schema: JsonObject; strict?: boolean; description?: string };

export interface ReasoningOptions {
  effort?: string;
  budgetTokens?: number;
  /** `adaptive` lets the model decide; `disabled` turns it off. */
  mode?: 'enabled' | 'disabled' | 'adaptive';
  /** How much of the reasoning is to be told (`auto`, `concise`, `detailed`). */
  summary?: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'pause';

export interface NeutralChoice {
  index: number;
  content: ContentBlock[];
  finishReason: FinishReason;
  /** The stop sequence that ended it, where known. */
  stopSequence?: string;
  logprobs?: Json;
}

export interface NeutralResponse {
  id: string;
  model: string;
  /** Unix seconds. */
  createdAt: number | undefined;
  choices: NeutralChoice[];
  usage: Usage | undefined;
  extra: JsonObject;
}

/** A stream as a closed union of parts. `choice` is 0 unless several were asked for; `block` counts up inside a choice. */
export type StreamPart =
  | { type: 'start'; id: string; model: string; createdAt: number | undefined; usage?: Usage }
  | { type: 'text-start'; choice: number; block: number }
  | { type: 'text-delta'; choice: number; block: number; text: string }
  | { type: 'refusal-delta'; choice: number; block: number; text: string }
  | { type: 'reasoning-start'; choice: number; block: number; redacted?: string }
  | { type: 'reasoning-delta'; choice: number; block: number; text: string }
  | { type: 'reasoning-signature'; choice: number; block: number; signature: string }
  | { type: 'tool-call-start'; choice: number; block: number; id: string; name: string; custom?: true }
  | { type: 'tool-call-delta'; choice: number; block: number; arguments: string }
  /** Where a piece of the text comes from, in the shape of TextBlock's annotations. */
  | { type: 'annotation'; choice: number; block: number; annotation: Json }
  /** An image that the model made: a block of its own, which comes whole. */
  | { type: 'image'; choice: number; block: number; source: MediaSource }
  /** `whole`: the block that this event completes, as its dialect would write it into a whole answer. */
  | { type: 'vendor'; choice: number; block: number; dialect: string; event: JsonObject; whole?: JsonObject }
  | { type: 'block-end'; choice: number; block: number }
  | { type: 'finish'; choice: number; reason: FinishReason; stopSequence?: string }
  | { type: 'usage'; usage: Usage }
  | { type: 'ping' }
  | {
      type: 'error';
      message: string | undefined;
      errorType: string | undefined;
      code: string | undefined;
      kind: 'context_window' | 'content_policy' | undefined;
      status: number | undefined;
    }
  | { type: 'end' };
