import type { Json, JsonObject } from './json.ts';
import type { MediaSource } from './neutral.ts';
import type { Usage } from './usage.ts';

/*
 * The neutral forms of what is asked of a model other than a conversation. As with conversations: small, with a place
 * (`extra`) for what only some formats say, which travels on by name.
 */

export type EmbeddingInput =
  | { type: 'text'; text: string }
  | { type: 'tokens'; tokens: number[] }
  | { type: 'image'; source: MediaSource }
  /** What only some servers understand: stays as sent among formats that have objects as inputs. */
  | { type: 'vendor'; value: JsonObject };

/** What a vector is for, where a model makes different ones. */
export type EmbeddingPurpose = 'query' | 'document' | 'classification' | 'clustering' | 'similarity' | 'image';

export interface EmbeddingRequest {
  model: string;
  inputs: EmbeddingInput[];
  dimensions: number | undefined;
  /** `float`, `base64` (of little-endian floats), `int8`, `uint8`, `binary`, `ubinary`. */
  encodings: string[];
  purpose: EmbeddingPurpose | undefined;
  /** What is done with an input that is too long. */
  truncate: 'none' | 'start' | 'end' | undefined;
  endUser: string | undefined;
  extra: JsonObject;
}

export type EmbeddingVector = number[] | string;

export interface EmbeddingResponse {
  id: string;
  model: string;
  /** By encoding, each in the order of the inputs. */
  vectors: Record<string, EmbeddingVector[]>;
  usage: Usage | undefined;
  extra: JsonObject;
}

export interface RerankRequest {
  model: string;
  query: string;
  /** Texts, or objects with a text and more. */
  documents: (string | JsonObject)[];
  topN: number | undefined;
  returnDocuments: boolean | undefined;
  tokensPerDocumentMax: number | undefined;
  endUser: string | undefined;
  extra: JsonObject;
}

export interface RerankResponse {
  id: string;
  model: string;
  /** Best first. */
  results: { index: number; score: number; document: Json | undefined }[];
  usage: Usage | undefined;
  extra: JsonObject;
}

export interface ModerationRequest {
  model: string;
  inputs: Json[];
  endUser: string | undefined;
  extra: JsonObject;
}

export interface ModerationResponse {
  id: string;
  model: string;
  results: JsonObject[];
  usage: Usage | undefined;
  extra: JsonObject;
}
