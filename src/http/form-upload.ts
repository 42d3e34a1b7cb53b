import type { IncomingMessage } from 'node:http';
import type { BodyEdits } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import { partHead } from '../core/form.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Upload, UploadedFile, WireBody } from '../core/upload.ts';
import { ClientLeft } from './data-body.ts';
import { broken, FormParser } from './form-parser.ts';

/** Kept of a form before it is sent on; up to here it can be sent again. */
const keptBytesMax = 4 * 1024 * 1024;
const fieldBytesMax = 1024 * 1024;
/** Waiting for the provider to take them; more than that pauses the client. */
const waitingBytesMax = 256 * 1024;

/** `boundary` of a form's content type; undefined when it is no form. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^;\s"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/**
 * Resolves when enough of a form is here to know what is asked: all of it, or, where that is enough, its model and the
 * first megabytes. Rejects with a GatewayError for what is no form or too long, and with ClientLeft.
 */
export function formUpload(
  request: IncomingMessage,
  boundary: string,
  limits: { readonly bytesMax: number; readonly needsAll: boolean; readonly modelKnown: boolean },
): Promise<Upload> {
  const upload = new FormUpload(request, boundary, limits.bytesMax);
  return upload.begun(limits.needsAll, limits.modelKnown).then(() => upload);
}

interface Part extends UploadedFile {
  readonly isFile: boolean;
  readonly chunks: Buffer[];
  size: number;
  isOver: boolean;
}

type Live = { readonly part: Part } | { readonly chunk: Buffer } | { readonly end: 'part' | 'form' };

class FormUpload implements Upload {
  readonly fields: JsonObject = {};
  readonly files: UploadedFile[] = [];
  readonly bytesMax: number;
  isComplete = false;
  isSpent = false;
  failure: GatewayError | null = null;
  readonly #request: IncomingMessage;
  readonly #boundary: string;
  readonly #parts: Part[] = [];
  #part: Part | null = null;
  #size = 0;
  #kept = 0;
  #isPassing = false;
  #isAbandoned = false;
  #live: Live[] = [];
  #waiting = 0;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(request: IncomingMessage, boundary: string, limit: number) {
    this.#request = request;
    this.#boundary = boundary;
    const announced = Number(request.headers['content-length'] ?? Number.NaN);
    this.bytesMax = Number.isNaN(announced) ? limit : Math.min(announced, limit);
    if (announced > limit) {
      this.#fail(tooLarge(limit));
      request.resume();
      return;
    }
    const parser = new FormParser(boundary, {
      part: (name, fileName, mediaType) => this.#begin(name, fileName, mediaType),
      data: (chunk) => this.#data(chunk),
      partEnd: () => this.#endPart(),
      end: () => this.#endForm(),
    });
    request.on('data', (chunk: Buffer) => {
      if (this.#error !== null || this.#isAbandoned) return;
      this.#size += chunk.length;
      try {
        if (this.#size > limit) throw tooLarge(limit);
        parser.push(chunk);
      } catch (cause) {
        this.#fail(cause as Error);
      }
      this.#wake?.();
    });
    request.on('end', () => {
      if (this.#error !== null || this.isComplete) return;
      this.#fail(broken('it ends in the middle of a part'));
    });
    request.on('error', () => this.#fail(new ClientLeft()));
    request.on('close', () => {
      if (!this.isComplete) this.#fail(new ClientLeft());
    });
  }

  async begun(needsAll: boolean, modelKnown: boolean): Promise<void> {
    while (!this.isComplete) {
      if (this.#error !== null) throw this.#error;
      const isEnough = this.#kept > keptBytesMax && (modelKnown || this.fields.model !== undefined);
      if (isEnough && !needsAll) {
        this.#request.pause();
        return;
      }
      await this.#more();
    }
  }

  async whole(): Promise<void> {
    if (this.isSpent) throw spent();
    this.#request.resume();
    await this.begun(true, true);
  }

  send(edits: BodyEdits, isDropped: (field: string) => boolean): WireBody {
    const boundary = this.#boundary;
    const ask = { edits, isDropped };
    const bytes = { [Symbol.asyncIterator]: () => this.#sent(ask) };
    const length = this.isComplete ? this.#lengthOf(ask) : undefined;
    return { contentType: `multipart/form-data; boundary=${boundary}`, bytes, length };
  }

  // ── From the client ───────────────────────────────────────────────────────────────────────────────────────────────

  #begin(field: string, fileName: string | null, mediaType: string): void {
    const chunks: Buffer[] = [];
    const part: Part = {
      field,
      fileName: fileName ?? '',
      mediaType,
      isFile: fileName !== null,
      chunks,
      size: 0,
      isOver: false,
      bytes: () => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
    };
    this.#part = part;
    if (this.#isPassing) {
      this.#live.push({ part });
      return;
    }
    this.#parts.push(part);
    if (part.isFile) this.files.push(part);
  }

  #data(chunk: Buffer): void {
    const part = this.#part!;
    part.size += chunk.length;
    if (!part.isFile && part.size > fieldBytesMax) {
      throw new GatewayError('malformed_request', `${part.field}: longer than ${fieldBytesMax} bytes`, {
        param: part.field,
      });
    }
    if (this.#isPassing) {
      this.#live.push({ chunk });
      this.#waiting += chunk.length;
      if (this.#waiting > waitingBytesMax) this.#request.pause();
      return;
    }
    // What is kept must not hold on to the buffer it was cut from for longer than it is needed: it is whole chunks.
    part.chunks.push(chunk);
    this.#kept += chunk.length;
  }

  #endPart(): void {
    const part = this.#part!;
    part.isOver = true;
    this.#part = null;
    if (this.#isPassing) this.#live.push({ end: 'part' });
    if (this.#parts.at(-1) === part && !part.isFile) this.#addField(part.field, part.bytes().toString('utf8'));
  }

  #endForm(): void {
    this.isComplete = true;
    if (this.#isPassing) this.#live.push({ end: 'form' });
  }

  #addField(field: string, value: string): void {
    const isList = field.endsWith('[]');
    const name = isList ? field.slice(0, -2) : field;
    const before = Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
    const next: Json =
      before === undefined ? (isList ? [value] : value) : [...(Array.isArray(before) ? before : [before]), value];
    Object.defineProperty(this.fields, name, { value: next, enumerable: true, configurable: true, writable: true });
  }

  #fail(cause: Error): void {
    if (this.#error !== null) return;
    this.#error = cause;
    this.failure = cause instanceof GatewayError ? cause : null;
    this.#wake?.();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  // ── To the provider ───────────────────────────────────────────────────────────────────────────────────────────────

  async *#sent(ask: Ask): AsyncGenerator<Uint8Array> {
    if (this.isSpent) throw spent();
    try {
      yield* this.#form(ask);
    } finally {
      // The provider wants no more of it: what still comes is nobody's.
      this.#isAbandoned = this.isSpent && !this.isComplete;
    }
  }

  async *#form(ask: Ask): AsyncGenerator<Uint8Array> {
    const seen = new Set<string>();
    let open: Verdict | null = null;
    for (const part of this.#parts) {
      const verdict = verdictOn(part, ask, seen, this.#boundary);
      yield* verdict.head;
      if (verdict.keepsContent) yield* part.chunks;
      if (part.isOver) yield* verdict.tail;
      else open = verdict;
    }
    if (!this.isComplete) {
      this.isSpent = true;
      this.#isPassing = true;
      this.#request.resume();
      yield* this.#passing(ask, seen, open);
    }
    yield Buffer.from(this.#added(ask, seen));
  }

  async *#passing(ask: Ask, seen: Set<string>, begun: Verdict | null): AsyncGenerator<Uint8Array> {
    let open = begun;
    for (;;) {
      const batch = this.#live;
      this.#live = [];
      this.#waiting = 0;
      for (const one of batch) {
        if ('part' in one) {
          open = verdictOn(one.part, ask, seen, this.#boundary);
          yield* open.head;
        } else if ('chunk' in one) {
          if (open?.keepsContent) yield one.chunk;
        } else if (one.end === 'form') return;
        else if (open !== null) yield* open.tail;
      }
      if (this.#error !== null) throw this.#error;
      if (this.#live.length > 0) continue;
      this.#request.resume();
      await this.#more();
    }
  }

  /** Fields that are written where the caller wrote none, and the end of the form. */
  #added({ edits }: Ask, seen: ReadonlySet<string>): string {
    let text = '';
    for (const [name, value] of edits) {
      if (value !== undefined && !seen.has(name)) text += written(this.#boundary, name, value);
    }
    return `${text}--${this.#boundary}--\r\n`;
  }

  #lengthOf(ask: Ask): number {
    const seen = new Set<string>();
    let length = 0;
    for (const part of this.#parts) {
      const { head, keepsContent, tail } = verdictOn(part, ask, seen, this.#boundary);
      for (const chunk of head) length += chunk.length;
      if (keepsContent) length += part.size;
      for (const chunk of tail) length += chunk.length;
    }
    return length + Buffer.byteLength(this.#added(ask, seen));
  }
}

interface Ask {
  readonly edits: BodyEdits;
  readonly isDropped: (field: string) => boolean;
}

/** What becomes of a part: as sent, with another value, or nothing. */
interface Verdict {
  readonly head: readonly Buffer[];
  readonly keepsContent: boolean;
  readonly tail: readonly Buffer[];
}

const nothing: Verdict = { head: [], keepsContent: false, tail: [] };
const lineEnd = [Buffer.from('\r\n')];

function verdictOn(part: Part, { edits, isDropped }: Ask, seen: Set<string>, boundary: string): Verdict {
  const name = part.field.replace(/\[\]$/, '');
  const isFirst = !seen.has(name);
  seen.add(name);
  if (edits.has(name)) {
    const value = edits.get(name);
    if (value === undefined || !isFirst) return nothing;
    return { head: [Buffer.from(written(boundary, name, value))], keepsContent: false, tail: [] };
  }
  // A name that decided who is asked for what may not be said a second time.
  if (isDropped(name) || (name === 'model' && !isFirst)) return nothing;
  const { field, fileName, mediaType } = part;
  const described = part.isFile
    ? { name: field, fileName, mediaType, bytes: Buffer.alloc(0) }
    : { name: field, value: '' };
  return { head: [Buffer.from(partHead(boundary, described))], keepsContent: true, tail: lineEnd };
}

function written(boundary: string, name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((entry) => written(boundary, `${name}[]`, entry)).join('');
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `${partHead(boundary, { name, value: text })}${text}\r\n`;
}

function tooLarge(bytesMax: number): GatewayError {
  return new GatewayError('body_too_large', `The request body is larger than the limit of ${bytesMax} bytes.`);
}

function spent(): GatewayError {
  return new GatewayError('upstream_error', 'The upload was passed on and not kept: it cannot be sent a second time.');
}
