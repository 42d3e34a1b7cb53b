import type { Json, JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/* The neutral forms of what makes or hears media. Files are whole: a form that stays in its format is never decoded. */

export interface MediaFile {
  fileName: string;
  mediaType: string;
  bytes: Buffer;
}

export interface ImageRequest {
  model: string;
  prompt: string;
  /** What is to be changed; none for an image out of nothing. */
  images: MediaFile[];
  mask: MediaFile | undefined;
  count: number | undefined;
  /** `1024x1024`, or a word such as `auto`. */
  size: string | undefined;
  quality: string | undefined;
  /** `png`, `jpeg`, `webp`. */
  outputFormat: string | undefined;
  /** How an image is handed over: as an address or in the answer. */
  delivery: 'url' | 'base64' | undefined;
  seed: number | undefined;
  negativePrompt: string | undefined;
  stream: boolean;
  endUser: string | undefined;
  extra: JsonObject;
}

export interface ImageResponse {
  id: string;
  model: string;
  createdAt: number | undefined;
  images: { url?: string; base64?: string; revisedPrompt?: string }[];
  usage: Usage | undefined;
  extra: JsonObject;
}

export interface SpeechRequest {
  model: string;
  text: string;
  /** A name, or an object that a vendor understands. */
  voice: Json | undefined;
  /** `mp3`, `opus`, `aac`, `flac`, `wav`, `pcm`. */
  format: string | undefined;
  speed: number | undefined;
  instructions: string | undefined;
  stream: boolean;
  extra: JsonObject;
}

export interface SpeechResponse {
  id: string;
  model: string;
  bytes: Buffer;
  mediaType: string;
  usage: Usage | undefined;
}

export interface TranscriptionRequest {
  model: string;
  audio: MediaFile;
  /** Into English, whatever is spoken. */
  translate: boolean;
  language: string | undefined;
  prompt: string | undefined;
  temperature: number | undefined;
  /** `json`, `verbose_json`, `text`, `srt`, `vtt`, `diarized_json`. */
  format: string;
  granularities: string[];
  stream: boolean;
  extra: JsonObject;
}

export interface TranscriptPiece {
  text: string;
  /** Seconds from the beginning. */
  start: number;
  end: number;
  speaker?: string;
}

export interface TranscriptionResponse {
  id: string;
  model: string;
  text: string;
  language: string | undefined;
  durationSeconds: number | undefined;
  segments: TranscriptPiece[];
  words: TranscriptPiece[];
  usage: Usage | undefined;
}
