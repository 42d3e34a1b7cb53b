import type { BodyEdits } from './dialect.ts';
import type { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/** What a session's settings say of the transcripts of what its caller says. */
export interface TranscriptSettings {
  /** undefined where the provider's own default is asked for. */
  readonly model: string | undefined;
  /** Bytes of text that its model may have to read besides the sound: prompts, keywords. */
  readonly promptBytes: number;
}

export interface SessionSettings {
  /** null = switched off; undefined = not said. */
  readonly transcript: TranscriptSettings | null | undefined;
  /** Bytes of a second of sound in the format that is named; undefined = not said. */
  readonly bytesPerSecond: number | undefined;
}

/** A message of the caller's, as far as it matters to money. */
export type SaidInSession =
  | { readonly kind: 'turn' }
  /** The first message, where that names the model. */
  | {
      readonly kind: 'opens';
      /** A body that stands for a turn of this session, its model in it. */
      readonly turn: JsonObject;
      /** What the provider's own edits are made on, and the message with them. */
      readonly setup: JsonObject;
      withEdits(edits: BodyEdits): string;
    }
  | { readonly kind: 'sound'; readonly bytes: number }
  /** What was said so far is complete. */
  | { readonly kind: 'sound_ends' }
  | { readonly kind: 'sound_dropped' }
  | {
      readonly kind: 'settings';
      readonly settings: SessionSettings;
      /** The message with another name for the model of the transcripts. */
      withModel(model: string): string;
    };

/** A message of the provider's, as far as it matters to money. */
export type HeardInSession =
  | { readonly kind: 'turn_began'; readonly id: string }
  | { readonly kind: 'turn_ended'; readonly id: string; readonly usage: Usage | undefined }
  | { readonly kind: 'settings'; readonly settings: SessionSettings; readonly isFirst: boolean }
  /** Milliseconds of the session's sound. */
  | { readonly kind: 'speech_began'; readonly item: string; readonly atMs: number }
  | { readonly kind: 'speech_ended'; readonly item: string; readonly atMs: number }
  /** The sound so far is a thing said, and will be transcribed. */
  | { readonly kind: 'sound_taken'; readonly item: string }
  | { readonly kind: 'sound_dropped' }
  /** There was no sound to be taken. */
  | { readonly kind: 'sound_refused' }
  | { readonly kind: 'words'; readonly item: string; readonly bytes: number }
  | {
      readonly kind: 'transcribed';
      readonly item: string;
      /** Its place among the item's parts. */
      readonly part: number;
      readonly bytes: number;
      readonly usage: Usage | undefined;
    }
  | { readonly kind: 'not_transcribed'; readonly item: string; readonly message: string };

/** How one session over a WebSocket is spoken. Messages without a bearing on money are nothing, and cost no parsing. */
export interface SessionFormat {
  /** Where the model is named. */
  readonly modelIn: 'address' | 'first message';
  said(text: string): SaidInSession | null;
  heard(text: string): readonly HeardInSession[];
  /** Ends a turn that the provider began on its own; null where nothing but the end of the session does. */
  cancelTurn(id: string): string | null;
  /** How the caller is told of an error; null where the end of the connection tells it. */
  error(error: GatewayError): string | null;
  /** How sessions that translate while they are spoken to are spoken; absent where there are none. */
  readonly translating?: SessionFormat;
  /** What a session that only transcribes says first; `isBeta`: in the older words. */
  transcriptsBegin(id: string, isBeta: boolean): string;
}
