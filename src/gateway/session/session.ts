import type { BodyEdits } from '../../core/dialect.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { SocketPeer, Timer, UpstreamSocket } from '../../core/ports.ts';
import type { HeardInSession, SaidInSession, SessionFormat, TranscriptSettings } from '../../core/session-format.ts';
import { noUsage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import { providerError } from '../call/provider-error.ts';
import type { Gateway } from '../gateway.ts';
import { dial, type SessionTask } from './dial.ts';
import { Ear, type FirstSlice, firstSlice } from './ear.ts';
import { Interpreting } from './interpreting.ts';
import { Listening } from './listening.ts';
import { Slice } from './slice.ts';
import { transcriberOf } from './transcriber.ts';
import { type Place, Turns } from './turns.ts';

const unsentBytesMax = 1024 * 1024;
const goingAway = 1001;
const refusedByPolicy = 1008;
const internalError = 1011;
const normal = 1000;
/** How long the provider is listened to once the client is gone: for what it makes of the last sound, for what it ends. */
const lastSoundMs = 1_000;
const lastWordsMs = 3_000;
/** Messages of the client that wait while money is asked for. */
const waitingMax = 1_000;

export interface SessionWish {
  /** The first thing that the provider hears. */
  readonly opening: string | null;
  /** One that transcribes and does nothing else may be named its model by the first settings. */
  readonly task: SessionTask;
  readonly model: string | undefined;
}

/**
 * A realtime session: two WebSockets with the gateway between them. It is admitted in slices: of one turn, of one thing said
 * and transcribed. When none can be had any more, what is under way is finished and the session ends with the reason.
 */
export class RealtimeSession {
  readonly #gateway: Gateway;
  readonly #arrival: Arrival;
  readonly #client: SocketPeer;
  readonly #wish: SessionWish;
  readonly #format: SessionFormat;
  readonly #turns: Turns;
  readonly #listening: Pick<Listening, keyof Listening>;
  #upstream: UpstreamSocket | null = null;
  #place: Place | null = null;
  readonly #waiting: string[] = [];
  /** What the provider said with its handshake, before it is known where the session is. */
  readonly #early: string[] = [];
  #isForwarding = false;
  /** The caller was greeted by the gateway, in the place of the provider that was not known yet. */
  #isGreeted = false;
  #isDialling = false;
  #isDraining = false;
  /** Nobody is told anything any more. */
  #isOver = false;
  /** Everything is settled. */
  #isSettled = false;
  #linger: Timer | null = null;
  /** The last sound's time is over: only what is under way is waited for. */
  #isQuiet = false;
  #whenOver: () => void = () => undefined;

  constructor(gateway: Gateway, arrival: Arrival, client: SocketPeer, wish: SessionWish) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#client = client;
    this.#wish = wish;
    const format = gateway.dialects.get(arrival.matched.route.dialect)!.session!();
    const decided = () => this.#settleDown();
    this.#turns = new Turns(gateway, arrival, decided);
    if (wish.task === 'translate') {
      this.#format = format.translating!;
      this.#listening = new Interpreting(gateway, arrival, decided);
    } else {
      this.#format = format;
      this.#listening = new Listening(gateway, arrival, decided);
    }
    if (wish.opening !== null) this.#waiting.push(wish.opening);
  }

  /** Never rejects. */
  async begin(): Promise<void> {
    if (this.#format.modelIn === 'first message') return;
    const { task, model } = this.#wish;
    if (task === 'converse') return this.#dial(this.#arrival, null);
    if (model !== undefined) return this.#dial(this.#arrival, { model, promptBytes: 0 });
    if (task === 'translate') {
      this.#end(
        new GatewayError('malformed_request', 'model: expected in the address, as ?model=', { param: 'model' }),
      );
      return;
    }
    // Callers wait to be greeted before they say which model shall transcribe.
    const isBeta = this.#arrival.headers['openai-beta'] !== undefined;
    this.#client.send(this.#format.transcriptsBegin(this.#gateway.chance.id().replaceAll('-', ''), isBeta));
    this.#isGreeted = true;
    for (const text of this.#waiting) this.#dialWhenNamed(text);
  }

  /** `then` is called when all that the session did is settled, which may be after its client is gone. */
  onceOver(then: () => void): void {
    if (this.#isSettled) then();
    else this.#whenOver = then;
  }

  /** Nothing new is begun; what is under way is finished. */
  drain(): void {
    this.#isDraining = true;
    if (this.#isOver) this.#settle();
    else if (!this.#turns.areUnderWay && !this.#listening.isUnderWay) this.#end(null);
  }

  interrupt(): void {
    this.#end(
      new GatewayError('shutting_down', 'The gateway is stopping and could not wait for the end of this session.'),
    );
    this.#settle();
  }

  // ── From the client ───────────────────────────────────────────────────────────────────────────────────────────────

  clientSaid(text: string): void {
    if (this.#isOver || this.#isDraining) return;
    if (this.#waiting.length >= waitingMax) {
      this.#end(new GatewayError('overloaded', `More than ${waitingMax} messages wait to be sent on.`));
      return;
    }
    this.#waiting.push(text);
    if (this.#upstream === null) this.#dialWhenNamed(text);
    else void this.#forward();
  }

  clientLeft(): void {
    this.#end(null);
  }

  async #forward(): Promise<void> {
    if (this.#isForwarding || this.#upstream === null) return;
    this.#isForwarding = true;
    try {
      await this.#forwardAll(this.#upstream);
    } catch (cause) {
      this.#broke(cause);
    }
    this.#isForwarding = false;
  }

  async #forwardAll(upstream: UpstreamSocket): Promise<void> {
    for (let text = this.#waiting.shift(); text !== undefined && !this.#isOver; text = this.#waiting.shift()) {
      const sent = await this.#admitted(text);
      if (sent === undefined) break;
      if (sent === null) continue;
      if (this.#isOver) break;
      if (upstream.send(sent) > unsentBytesMax) {
        this.#client.pause();
        await upstream.drained();
        this.#client.resume();
      }
    }
  }

  /** A message must not break more than its session. */
  #broke(cause: unknown): void {
    this.#gateway.log.error('a session broke inside the gateway', { cause: String(cause) });
    this.#end(asGatewayError(cause));
    this.#settle();
  }

  /** The message as it goes on; null where it is not to, undefined where no message is any more. */
  async #admitted(text: string): Promise<string | null | undefined> {
    const said = this.#format.said(text);
    switch (said?.kind) {
      case 'turn':
        // Where there are no turns, the provider says so.
        return this.#wish.task !== 'converse' || (await this.#turns.room()) ? text : undefined;
      case 'sound': {
        const fits = this.#listening.sound(said.bytes);
        return (typeof fits === 'boolean' ? fits : await fits) ? text : undefined;
      }
      case 'sound_ends':
        this.#listening.soundEnds();
        return text;
      case 'sound_dropped':
        this.#listening.soundDropped();
        return text;
      case 'settings':
        return this.#chosen(text, said);
      case 'opens':
        return said.withEdits(this.#opening(said.setup));
      default:
        return text;
    }
  }

  #opening(setup: JsonObject): BodyEdits {
    const { deployment, model } = this.#place!;
    const { headers, matched } = this.#arrival;
    const call = { dialect: matched.route.dialect, model, stream: true, body: setup, headers };
    return deployment.endpoint.edits?.(call) ?? new Map([['model', model]]);
  }

  async #chosen(text: string, said: SaidInSession & { kind: 'settings' }): Promise<string | null | undefined> {
    try {
      const model = await this.#listening.choose(said.settings);
      if (this.#listening.refusal !== null) return undefined;
      return model === null ? text : said.withModel(model);
    } catch (cause) {
      // A model that may not be used: the session goes on as it was.
      this.#tell(asGatewayError(cause));
      return null;
    }
  }

  // ── From the provider ─────────────────────────────────────────────────────────────────────────────────────────────

  #upstreamSaid(text: string): void {
    if (this.#place === null) {
      this.#early.push(text);
      return;
    }
    try {
      this.#heard(text);
    } catch (cause) {
      this.#broke(cause);
    }
  }

  #heard(text: string): void {
    if (this.#isSettled) return;
    let isGreeting = false;
    for (const heard of this.#format.heard(text)) {
      this.#notice(heard);
      isGreeting ||= heard.kind === 'settings' && heard.isFirst;
    }
    if (this.#isOver) this.#settleDown();
    if (this.#isOver || (isGreeting && this.#isGreeted)) return;
    if (this.#client.send(text) > unsentBytesMax) {
      this.#upstream?.pause();
      void this.#client.drained().then(() => this.#upstream?.resume());
    }
    this.#settleDown();
  }

  #notice(heard: HeardInSession): void {
    if (heard.kind === 'turn_began') void this.#turnBegan(heard.id).catch((cause) => this.#broke(cause));
    else if (heard.kind === 'turn_ended') this.#turns.ended(heard.id, heard.usage);
    else this.#listening.heard(heard);
  }

  /** What the provider began on its own is stopped where nobody can pay for it, or nobody is there any more. */
  async #turnBegan(id: string): Promise<void> {
    const isPaid = await this.#turns.began(id);
    if (isPaid && !this.#isOver) return;
    const isCancelled = this.#cancel(id);
    this.#end(this.#turns.refusal ?? new GatewayError('budget_exceeded', 'There is no room for another turn.'));
    // What nothing else stops goes on, and is billed, until its connection is closed.
    if (!isCancelled && !isPaid) this.#settle();
  }

  #cancel(id: string): boolean {
    const cancel = this.#format.cancelTurn(id);
    if (cancel !== null) this.#upstream?.send(cancel);
    return cancel !== null;
  }

  #upstreamClosed(code: number, reason: string): void {
    if (this.#isOver) {
      this.#settle();
      return;
    }
    const provider = this.#place?.deployment.provider;
    const error =
      provider === undefined || code === normal || code === goingAway
        ? null
        : providerError(
            'upstream_connection',
            provider,
            `closed the session (${code}${reason === '' ? '' : `: ${reason}`})`,
            [...this.#gateway.snapshot().secrets],
          );
    this.#end(error);
    this.#settle();
  }

  /** Ends what cannot go on once nothing is under way. */
  #settleDown(): void {
    const turns = this.#turns;
    if (this.#isOver) {
      const isExpecting = this.#isQuiet ? this.#listening.isUnderWay : this.#listening.isExpecting;
      if (!isExpecting && !turns.areUnderWay) this.#settle();
      return;
    }
    if (turns.areUnderWay || turns.areBeingAsked || this.#listening.isUnderWay) return;
    if (this.#isDraining) this.#end(null);
    else if (this.#listening.refusal !== null) this.#end(this.#listening.refusal);
    else if (turns.areRefused) this.#end(turns.refusal);
  }

  // ── Beginning and end ─────────────────────────────────────────────────────────────────────────────────────────────

  #dialWhenNamed(text: string): void {
    if (this.#isDialling) return;
    const said = this.#format.said(text);
    if (this.#format.modelIn === 'first message') {
      if (said?.kind === 'opens') {
        void this.#dial({ ...this.#arrival, bytes: Buffer.from(JSON.stringify(said.turn)) }, null);
      } else {
        this.#end(new GatewayError('malformed_request', 'The first message must be the setup, which names the model.'));
      }
      return;
    }
    const transcript = said?.kind === 'settings' ? said.settings.transcript : undefined;
    if (this.#wish.task === 'transcribe' && transcript?.model !== undefined) void this.#dial(this.#arrival, transcript);
  }

  /** `transcripts`: by whom, where there is nothing else. */
  async #dial(arrival: Arrival, transcripts: TranscriptSettings | null): Promise<void> {
    this.#isDialling = true;
    const gateway = this.#gateway;
    let first: FirstSlice | null = null;
    try {
      first =
        transcripts === null
          ? { slice: await Slice.grant(gateway, arrival), heldMs: 0 }
          : await firstSlice(gateway, this.#arrival, transcripts);
      const line = await dial(gateway, this.#arrival, first.slice, this.#wish.task, {
        onText: (text) => this.#upstreamSaid(text),
        onClose: (code, reason) => this.#upstreamClosed(code, reason),
      });
      this.#upstream = line.socket;
      this.#place = line;
      if (transcripts === null) this.#turns.begin(line, arrival, first.slice);
      const ear = transcripts === null ? null : this.#firstEar(line, first, transcripts);
      this.#listening.begin(line, first.slice.admitted, ear);
      if (this.#isOver) {
        line.socket.close(goingAway, '');
        this.#turns.close();
        this.#listening.close();
        return;
      }
      for (const text of this.#early.splice(0)) this.#upstreamSaid(text);
      void this.#forward();
    } catch (cause) {
      const error = asGatewayError(cause);
      first?.slice.end('failure', noUsage, error);
      this.#end(error);
    }
  }

  #firstEar({ deployment, model }: Place, first: FirstSlice, settings: TranscriptSettings): Ear {
    const { name } = transcriberOf(first.slice.admitted, deployment, settings);
    const transcriber = { name, model, deployment, promptBytes: settings.promptBytes };
    return new Ear(this.#gateway, this.#arrival, transcriber, first);
  }

  /** The client is told why, its connection is closed; what the provider still says of what it did is waited for. */
  #end(error: GatewayError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#tell(error);
    this.#client.close(closeCode(error, this.#isDraining), error?.message ?? '');
    this.#turns.stop();
    if (this.#isDraining || !(this.#listening.isExpecting || this.#turns.areUnderWay)) {
      this.#settle();
      return;
    }
    // Of what is cancelled the provider says what it came to.
    for (const id of this.#turns.underWay) this.#cancel(id);
    const { clock } = this.#gateway;
    this.#linger = clock.setTimer(lastSoundMs, () => {
      this.#isQuiet = true;
      this.#linger = clock.setTimer(lastWordsMs - lastSoundMs, () => this.#settle());
      this.#settleDown();
    });
  }

  #tell(error: GatewayError): void {
    const told = this.#format.error(error);
    if (told !== null) this.#client.send(told);
  }

  /** The provider's connection is closed, every slice is settled. */
  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#linger?.cancel();
    this.#upstream?.close(normal, '');
    this.#turns.close();
    this.#listening.close();
    this.#whenOver();
  }
}

function closeCode(error: GatewayError | null, isDraining: boolean): number {
  if (error === null) return isDraining ? goingAway : normal;
  if (error.code === 'shutting_down') return goingAway;
  return error.status >= 500 ? internalError : refusedByPolicy;
}
