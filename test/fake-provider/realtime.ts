import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * OpenAI's realtime sessions, as its documentation describes them: conversations and sessions that only transcribe, sound
 * that is committed by the caller or by voice detection (a byte other than 0 is speech), transcripts on an invoice of their
 * own. What was committed is transcribed and billed, whoever is still there to hear it.
 */

type Json = Record<string, unknown>;

const bytesPerMs = 48;
const frameMs = 20;
const silenceMs = 500;

/** Nano-dollars per million units, by hand and apart from the gateway's own. */
export interface TranscriberPrices {
  readonly perMs?: number;
  readonly perAudioToken?: number;
  readonly perTextToken?: number;
  readonly perOutputToken?: number;
}

export interface RealtimeFakeOptions {
  readonly transcribers: Readonly<Record<string, TranscriberPrices>>;
}

/** What goes otherwise than it should; set by a test for the sessions that begin after. */
export interface RealtimeFaults {
  /** Transcripts are told without their usage. */
  silent?: boolean;
  /** Transcripts are told twice. */
  twice?: boolean;
  /** Transcripts never come, though they are billed. */
  mute?: boolean;
  /** The transcript fails and is not billed. */
  fails?: boolean;
  /** Transcribes by this model from the start. */
  presets?: string;
  /** And tells nobody in its settings. */
  hides?: boolean;
  /** The connection is cut as soon as sound is committed. */
  cuts?: boolean;
}

export interface BilledLine {
  readonly model: string;
  readonly what: 'turn' | 'transcript';
  readonly nanodollars: number;
}

export interface RealtimeFake {
  readonly address: string;
  readonly invoice: BilledLine[];
  readonly sessions: { readonly request: IncomingMessage; readonly heard: Json[]; readonly soundMs: () => number }[];
  faults: RealtimeFaults;
  billed(): number;
  close(): Promise<void>;
}

/** A turn reads 600 tokens (100 of them sound) and says 400 (300 of them sound), at 0.0001 dollars a token. */
const turnUsage = {
  total_tokens: 1_000,
  input_tokens: 600,
  output_tokens: 400,
  input_token_details: { text_tokens: 500, audio_tokens: 100, cached_tokens: 0 },
  output_token_details: { text_tokens: 100, audio_tokens: 300 },
};
const turnNanodollars = 100_000_000;

export async function startRealtimeFake({ transcribers }: RealtimeFakeOptions): Promise<RealtimeFake> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    // The first message comes in one piece with the handshake.
    socket.cork();
    sockets.handleUpgrade(request, socket, head, (webSocket) => new Session(fake, transcribers, webSocket, request));
    process.nextTick(() => socket.uncork());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: RealtimeFake = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    invoice: [],
    sessions: [],
    faults: {},
    billed: () => fake.invoice.reduce((sum, { nanodollars }) => sum + nanodollars, 0),
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
  return fake;
}

class Session {
  readonly #fake: RealtimeFake;
  readonly #transcribers: RealtimeFakeOptions['transcribers'];
  readonly #socket: WebSocket;
  readonly #model: string | null;
  readonly #isBeta: boolean;
  readonly #faults: RealtimeFaults;
  readonly #heard: Json[] = [];
  #transcription: Json | null = null;
  #detects: boolean;
  /** Sound since the last commit. */
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the session's sound before the buffer. */
  #before = 0;
  /** Where speech begins in the buffer, and how much silence came after it. */
  #speech: { item: string; from: number; quietMs: number } | null = null;
  #examined = 0;
  #items = 0;

  constructor(
    fake: RealtimeFake,
    transcribers: RealtimeFakeOptions['transcribers'],
    socket: WebSocket,
    request: IncomingMessage,
  ) {
    this.#fake = fake;
    this.#transcribers = transcribers;
    this.#socket = socket;
    this.#faults = { ...fake.faults };
    const query = new URL(request.url ?? '', 'http://fake').searchParams;
    const transcribes = query.get('intent') === 'transcription';
    this.#model = transcribes ? null : query.get('model');
    this.#isBeta = request.headers['openai-beta'] !== undefined;
    this.#detects = !transcribes;
    if (this.#faults.presets !== undefined) this.#transcription = { model: this.#faults.presets };
    fake.sessions.push({
      request,
      heard: this.#heard,
      soundMs: () => (this.#before + this.#buffer.length) / bytesPerMs,
    });
    if (transcribes && query.has('model')) {
      this.#fails('invalid_request_error', 'A transcription session does not take a model in its address.');
      socket.close(1008);
      return;
    }
    this.#tellSettings('created');
    socket.on('message', (bytes: Buffer) => this.#listen(JSON.parse(bytes.toString()) as Json));
  }

  #say(event: Json): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(event));
  }

  #fails(code: string, message: string): void {
    this.#say({ type: 'error', error: { type: 'invalid_request_error', code, message } });
  }

  #tellSettings(what: 'created' | 'updated'): void {
    const isOld = this.#isBeta && this.#model === null;
    const type = `${isOld ? 'transcription_session' : 'session'}.${what}`;
    const turn_detection = this.#detects ? { type: 'server_vad' } : null;
    const transcription = this.#faults.hides ? null : this.#transcription;
    const session = this.#isBeta
      ? { input_audio_transcription: transcription, turn_detection, input_audio_format: 'pcm16' }
      : {
          type: this.#model === null ? 'transcription' : 'realtime',
          audio: {
            input: { transcription, turn_detection, format: { type: 'audio/pcm', rate: 24_000 } },
          },
        };
    this.#say({ type, session: { id: 'sess_upstream', model: this.#model, ...session } });
  }

  #listen(event: Json): unknown {
    this.#heard.push(event.type === 'input_audio_buffer.append' ? { type: event.type } : event);
    switch (event.type) {
      case 'session.update':
      case 'transcription_session.update':
        return this.#update(event);
      case 'input_audio_buffer.append':
        this.#buffer = Buffer.concat([this.#buffer, Buffer.from(String(event.audio), 'base64')]);
        if (this.#detects) this.#detect();
        return;
      case 'input_audio_buffer.clear':
        this.#forget(this.#buffer.length);
        return this.#say({ type: 'input_audio_buffer.cleared' });
      case 'input_audio_buffer.commit':
        if (this.#buffer.length === 0) return this.#fails('input_audio_buffer_commit_empty', 'The buffer is empty.');
        return this.#commit(`item_${++this.#items}`, 0, this.#buffer.length);
      case 'response.create':
        return this.#turn();
      default:
        return;
    }
  }

  #update(event: Json): unknown {
    const session = event.session as Json;
    const kind = this.#model === null ? 'transcription' : 'realtime';
    if (!this.#isBeta && session.type !== kind) {
      return this.#fails(
        'invalid_value',
        `Passing a ${session.type} session update to a ${kind} session is not allowed.`,
      );
    }
    const input = this.#isBeta ? session : ((session.audio as { input?: Json } | undefined)?.input ?? {});
    const wanted = (this.#isBeta ? input.input_audio_transcription : input.transcription) as Json | null | undefined;
    if (wanted && !Object.hasOwn(this.#transcribers, String(wanted.model))) {
      return this.#fails('invalid_value', `Unknown transcription model ${wanted.model}.`);
    }
    if (wanted !== undefined) this.#transcription = wanted;
    if (input.turn_detection !== undefined) this.#detects = input.turn_detection !== null;
    return this.#tellSettings('updated');
  }

  #turn(): void {
    const id = `resp_${++this.#items}`;
    this.#say({ type: 'response.created', response: { id, status: 'in_progress' } });
    this.#fake.invoice.push({ model: this.#model!, what: 'turn', nanodollars: turnNanodollars });
    this.#say({ type: 'response.done', response: { id, status: 'completed', usage: turnUsage } });
  }

  /** Frame by frame: what is not silent is speech, until half a second of silence. */
  #detect(): void {
    const frame = frameMs * bytesPerMs;
    for (; this.#examined + frame <= this.#buffer.length; this.#examined += frame) {
      const isSpeech = this.#buffer[this.#examined] !== 0;
      if (this.#speech === null) {
        if (!isSpeech) continue;
        const item = `item_${++this.#items}`;
        this.#speech = { item, from: this.#examined, quietMs: 0 };
        const audio_start_ms = (this.#before + this.#examined) / bytesPerMs;
        this.#say({ type: 'input_audio_buffer.speech_started', item_id: item, audio_start_ms });
        continue;
      }
      this.#speech.quietMs = isSpeech ? 0 : this.#speech.quietMs + frameMs;
      if (this.#speech.quietMs < silenceMs) continue;
      const { item, from } = this.#speech;
      const to = this.#examined + frame;
      this.#speech = null;
      this.#examined = 0;
      const audio_end_ms = (this.#before + to) / bytesPerMs;
      this.#say({ type: 'input_audio_buffer.speech_stopped', item_id: item, audio_end_ms });
      this.#commit(item, from, to);
      this.#detect();
      return;
    }
  }

  #forget(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
    this.#before += bytes;
    this.#examined = 0;
  }

  #commit(item: string, from: number, to: number): void {
    const audioMs = Math.round((to - from) / bytesPerMs);
    this.#forget(to);
    this.#say({ type: 'input_audio_buffer.committed', item_id: item, previous_item_id: null });
    const transcription = this.#transcription;
    if (transcription === null) return;
    if (this.#faults.cuts) setTimeout(() => this.#socket.terminate(), 5);
    if (this.#faults.fails) {
      const error = { type: 'server_error', code: 'audio_unintelligible', message: 'Nothing could be made out.' };
      setTimeout(
        () =>
          this.#say({
            type: 'conversation.item.input_audio_transcription.failed',
            item_id: item,
            content_index: 0,
            error,
          }),
        10,
      );
      return;
    }
    const model = String(transcription.model);
    const words = Math.max(1, Math.ceil(audioMs / 400));
    const usage = this.#bill(model, audioMs, words);
    if (!this.#faults.mute) setTimeout(() => this.#transcribed(item, words, usage), 20);
  }

  #bill(model: string, audioMs: number, words: number): Json {
    const { perMs, perAudioToken = 0, perTextToken = 0, perOutputToken = 0 } = this.#transcribers[model]!;
    const audio = Math.ceil(audioMs / 100);
    const millionths =
      perMs === undefined ? audio * perAudioToken + 3 * perTextToken + words * perOutputToken : audioMs * perMs;
    this.#fake.invoice.push({ model, what: 'transcript', nanodollars: Math.ceil(millionths / 1_000_000) });
    return perMs === undefined
      ? {
          type: 'tokens',
          input_tokens: audio + 3,
          output_tokens: words,
          total_tokens: audio + 3 + words,
          input_token_details: { audio_tokens: audio, text_tokens: 3 },
        }
      : { type: 'duration', seconds: audioMs / 1_000 };
  }

  #transcribed(item: string, words: number, usage: Json): void {
    const name = 'conversation.item.input_audio_transcription';
    const transcript = Array.from({ length: words }, () => 'word').join(' ');
    this.#say({ type: `${name}.delta`, item_id: item, content_index: 0, delta: transcript });
    const done = { type: `${name}.completed`, item_id: item, content_index: 0, transcript };
    for (let times = this.#faults.twice ? 2 : 1; times > 0; times -= 1) {
      this.#say(this.#faults.silent ? done : { ...done, usage });
    }
  }
}
