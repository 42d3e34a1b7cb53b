import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * Google's Live API, as its documentation and its own client describe it: JSON in binary frames, a setup first, answers that
 * read the whole context again, each on the invoice by its tokens.
 * https://ai.google.dev/api/live, https://ai.google.dev/gemini-api/docs/live-guide
 */

type Json = Record<string, unknown>;

const paths: readonly RegExp[] = [
  /^\/ws\/google\.ai\.generativelanguage\.v1beta\.GenerativeService\.BidiGenerateContent$/,
  /^\/ws\/google\.cloud\.aiplatform\.v1beta1\.LlmBidiService\/BidiGenerateContent$/,
];
const soundTokens = 25;
/** What a model that speaks says before anybody has spoken, and what each answer is. */
const answerTokens = { audio: 40, thoughts: 7 };

/** Nano-dollars a token, by hand and apart from the gateway's own. */
export interface LivePrices {
  readonly text: number;
  readonly audio: number;
  readonly output: number;
  readonly outputAudio: number;
}

/** What goes otherwise than usual; set by a test for the sessions that begin after. */
export interface LiveFaults {
  /** Usage comes in a message of its own, after the turn. */
  late?: boolean;
  /** Usage is told while the answer is still going on, and again at its end. */
  twice?: boolean;
  /** Usage is never told. */
  silent?: boolean;
  /** The connection is cut in the middle of an answer. */
  cuts?: boolean;
  /** An answer that never ends. */
  hangs?: boolean;
}

export interface LiveFake {
  readonly url: string;
  readonly invoice: number[];
  readonly sessions: { readonly request: IncomingMessage; readonly heard: Json[] }[];
  faults: LiveFaults;
  billed(): number;
  close(): Promise<void>;
}

export async function startLiveFake(models: Readonly<Record<string, LivePrices>>): Promise<LiveFake> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake');
    const key = searchParams.get('key') ?? request.headers['x-goog-api-key'] ?? request.headers.authorization;
    const isThere = paths.some((path) => path.test(pathname));
    if (!isThere || key === undefined) {
      socket.end(`HTTP/1.1 ${isThere ? 401 : 404} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => new Session(fake, models, webSocket, request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: LiveFake = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    invoice: [],
    sessions: [],
    faults: {},
    billed: () => fake.invoice.reduce((sum, amount) => sum + amount, 0),
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
  return fake;
}

class Session {
  readonly #fake: LiveFake;
  readonly #models: Readonly<Record<string, LivePrices>>;
  readonly #socket: WebSocket;
  readonly #faults: LiveFaults;
  readonly #heard: Json[] = [];
  #prices: LivePrices | null = null;
  /** Of the whole conversation. */
  #context = { text: 0, audio: 0 };
  #isHearing = false;

  constructor(
    fake: LiveFake,
    models: Readonly<Record<string, LivePrices>>,
    socket: WebSocket,
    request: IncomingMessage,
  ) {
    this.#fake = fake;
    this.#models = models;
    this.#socket = socket;
    this.#faults = { ...fake.faults };
    fake.sessions.push({ request, heard: this.#heard });
    socket.on('message', (bytes: Buffer) => this.#listen(JSON.parse(bytes.toString()) as Json));
  }

  #say(message: Json): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(Buffer.from(JSON.stringify(message)));
  }

  #listen(message: Json): void {
    this.#heard.push(message);
    if (this.#prices === null) this.#open(message.setup as Json | undefined);
    else if (message.clientContent !== undefined) this.#content(message.clientContent as Json);
    else if (message.toolResponse !== undefined) {
      this.#context.text += 30;
      this.#answer();
    } else if (message.realtimeInput !== undefined) this.#hear(message.realtimeInput as Json);
  }

  #open(setup: Json | undefined): void {
    const model = String(setup?.model ?? '');
    const prices = this.#models[model];
    if (prices === undefined) {
      this.#socket.close(
        1008,
        `${model} is not found for API version v1beta, or is not supported for bidiGenerateContent.`,
      );
      return;
    }
    this.#prices = prices;
    this.#context.text += setup?.systemInstruction === undefined ? 0 : 100;
    this.#say({ setupComplete: {} });
  }

  #content({ turns, turnComplete }: Json): void {
    const text = JSON.stringify(turns ?? []);
    this.#context.text += Math.ceil(text.length / 4);
    if (turnComplete !== true) return;
    if (!text.includes('weather')) this.#answer();
    else {
      this.#say({ toolCall: { functionCalls: [{ id: 'call_1', name: 'weather', args: {} }] } });
      this.#say({ usageMetadata: this.#bill({ text: 12 }) });
    }
  }

  /** A byte other than 0 is speech, silence ends it. */
  #hear({ audio }: Json): void {
    const bytes = Buffer.from(String((audio as Json | undefined)?.data ?? ''), 'base64');
    const isSpeech = bytes.some((byte) => byte !== 0);
    if (isSpeech) this.#context.audio += soundTokens;
    if (isSpeech || !this.#isHearing) {
      this.#isHearing = isSpeech;
      return;
    }
    this.#isHearing = false;
    this.#answer();
  }

  #answer(): void {
    const { late, twice, silent, cuts, hangs } = this.#faults;
    const data = Buffer.alloc(2_400, 1).toString('base64');
    const spoken = { modelTurn: { role: 'model', parts: [{ inlineData: { mimeType: 'audio/pcm', data } }] } };
    this.#say({ serverContent: spoken });
    if (cuts) setTimeout(() => this.#socket.terminate(), 20);
    if (cuts || hangs) {
      this.#bill(answerTokens);
      return;
    }
    this.#say({ serverContent: { ...spoken, outputTranscription: { text: 'Grüezi' } } });
    if (twice) this.#say({ usageMetadata: this.#told({ audio: 10, thoughts: 2 }) });
    this.#say({ serverContent: { generationComplete: true } });
    const usageMetadata = this.#bill(answerTokens);
    if (silent) this.#say({ serverContent: { turnComplete: true } });
    else if (late) {
      this.#say({ serverContent: { turnComplete: true } });
      this.#say({ usageMetadata });
    } else this.#say({ serverContent: { turnComplete: true }, usageMetadata });
  }

  #told({ text = 0, audio = 0, thoughts = 0 }: { text?: number; audio?: number; thoughts?: number }): Json {
    const { text: read, audio: listened } = this.#context;
    return {
      promptTokenCount: read + listened,
      responseTokenCount: text + audio,
      ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
      totalTokenCount: read + listened + text + audio + thoughts,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: read },
        ...(listened > 0 ? [{ modality: 'AUDIO', tokenCount: listened }] : []),
      ],
      responseTokensDetails: [{ modality: audio > 0 ? 'AUDIO' : 'TEXT', tokenCount: text + audio }],
    };
  }

  #bill(said: { text?: number; audio?: number; thoughts?: number }): Json {
    const told = this.#told(said);
    const { text, audio, output, outputAudio } = this.#prices!;
    const spoken = (said.audio ?? 0) * outputAudio + ((said.text ?? 0) + (said.thoughts ?? 0)) * output;
    this.#fake.invoice.push(this.#context.text * text + this.#context.audio * audio + spoken);
    this.#context.text += said.text ?? 0;
    this.#context.audio += said.audio ?? 0;
    return told;
  }
}
