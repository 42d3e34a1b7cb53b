import type { Transport, UpstreamExchange, UpstreamReceiver, UpstreamRequest } from '../../src/core/ports.ts';
import { answerPieces, type Piece } from './provider-answer.ts';
import type { SeededChance } from './seeded-chance.ts';

/** How a provider behaves for one call. */
export type Behaviour =
  | 'answers'
  | 'says nothing of usage'
  | 'refuses the connection'
  | 'fails before work'
  | 'is busy'
  | 'rejects'
  | 'breaks before its headers'
  | 'never answers'
  | 'breaks in the middle'
  | 'reports an error in the middle'
  | 'ends too early'
  | 'bills beyond its limit';

/** What one call is billed, in tokens. */
export interface BilledTokens {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** One call as the provider has it in its own books. */
export interface Call {
  readonly number: number;
  /** Which request of the simulation it belongs to. */
  readonly request: string;
  readonly deploymentId: string;
  readonly behaviour: Behaviour;
  readonly isStream: boolean;
  /** What the whole answer costs. */
  readonly whole: Readonly<BilledTokens>;
  /** What is billed for what happened so far. */
  readonly billed: BilledTokens;
  readonly text: string;
  pieces: readonly Piece[];
  next: number;
  /** Tokens of the input where nobody tells: four bytes each. */
  readonly guessed: number;
  inputTold: boolean;
  usageTold: boolean;
  isOver: boolean;
  isPaused: boolean;
  readonly receiver: UpstreamReceiver;
  readonly process: object;
}

export interface ProviderSettings {
  /** Decides over the answer to this request. */
  chanceOf(request: string): SeededChance;
  /** Which request a body belongs to, and the bytes its caller sent. */
  requestOf(body: string): { readonly name: string; readonly bytes: number } | undefined;
  /** A call begins; throws when it must not. */
  begun(call: Call): void;
  /** Does the provider at this deployment stop, and bill no further, when we hang up? */
  stopsOnHangup(deploymentId: string): boolean;
  readonly breaches: boolean;
  /** Nothing ever goes wrong there. */
  readonly alwaysAnswers?: boolean;
}

const behaviours: readonly (readonly [weight: number, behaviour: Behaviour])[] = [
  [70, 'answers'],
  [4, 'says nothing of usage'],
  [4, 'refuses the connection'],
  [4, 'fails before work'],
  [2, 'is busy'],
  [2, 'rejects'],
  [3, 'breaks before its headers'],
  [3, 'never answers'],
  [3, 'breaks in the middle'],
  [2, 'reports an error in the middle'],
  [2, 'ends too early'],
  [1, 'bills beyond its limit'],
];
/** No work is done, so nothing is billed. */
const unbilled: ReadonlySet<Behaviour> = new Set(['refuses the connection', 'fails before work', 'is busy', 'rejects']);
const behaviourWeights = behaviours.reduce((sum, [weight]) => sum + weight, 0);

/** Every provider there is: answers when the world tells it to, and keeps an invoice. */
export class SimulatedProvider {
  /** Calls that are not over. */
  readonly open: Call[] = [];
  readonly seen = new Map<Behaviour, number>();
  readonly #settings: ProviderSettings;
  #count = 0;

  constructor(settings: ProviderSettings) {
    this.#settings = settings;
  }

  /** The way of one process to all providers. */
  transport(process: object, isAlive: () => boolean): Transport {
    return {
      send: (request, receiver) => (isAlive() ? this.#send(request, receiver, process) : idle),
      close: async () => {},
    };
  }

  /** The process of these calls is gone; the providers go on, or notice. */
  abandon(process: object): void {
    for (const call of [...this.open]) if (call.process === process) this.#hungUp(call);
  }

  /** The next thing that a call says. */
  deliver(call: Call): void {
    const piece = call.pieces[call.next];
    if (piece === undefined || call.isOver) return;
    call.next += 1;
    if (call.next === call.pieces.length) this.#close(call);
    const { billed, whole, receiver } = call;
    const isGuessed = !call.inputTold && !call.usageTold;
    const isSilentEnd = piece.kind === 'end' && call.behaviour === 'says nothing of usage';
    if (isGuessed && (piece.output > 0 || isSilentEnd)) billed.input = call.guessed;
    if (piece.tellsInput) {
      call.inputTold = true;
      billed.input = whole.input;
      billed.cached = whole.cached;
    }
    billed.output = Math.max(billed.output, piece.output);
    if (piece.tellsUsage) call.usageTold = true;
    if (piece.tellsUsage || piece.isBilled) Object.assign(billed, whole);
    switch (piece.kind) {
      case 'refusal':
        receiver.onError({ kind: 'refused', message: 'connection refused', sent: false, reusedConnection: false });
        break;
      case 'break':
        receiver.onError({ kind: 'reset', message: 'connection reset', sent: true, reusedConnection: false });
        break;
      case 'headers':
        receiver.onHeaders(piece.status, piece.headers);
        break;
      case 'bytes':
        receiver.onBytes(piece.bytes);
        break;
      case 'end':
        receiver.onEnd();
        break;
    }
  }

  #send(request: UpstreamRequest, receiver: UpstreamReceiver, process: object): UpstreamExchange {
    const text = Buffer.from(request.body as Uint8Array).toString();
    const caller = this.#settings.requestOf(text);
    if (caller === undefined) throw new Error(`a call that belongs to no request: ${text}`);
    const body = JSON.parse(text) as { max_tokens?: number; stream?: boolean };
    const chance = this.#settings.chanceOf(caller.name);
    const behaviour = this.#settings.alwaysAnswers ? 'answers' : this.#behaviour(chance);
    this.seen.set(behaviour, (this.seen.get(behaviour) ?? 0) + 1);
    const isAnthropic = request.path.includes('messages');
    const outputMax = body.max_tokens ?? 4_000;
    const isWhole = behaviour === 'answers' || behaviour === 'bills beyond its limit';
    const guessed = Math.max(1, Math.floor(caller.bytes / 4));
    const input = isWhole && chance.happens(0.3) ? chance.between(1, caller.bytes) : guessed;
    const output = isWhole && chance.happens(0.1) ? outputMax : chance.between(0, Math.min(outputMax, 40));
    const whole: BilledTokens = {
      input,
      cached: isWhole && chance.happens(0.3) ? chance.between(0, input) : 0,
      output: behaviour === 'bills beyond its limit' ? outputMax + chance.between(1, 20_000) : output,
      reasoning: 0,
    };
    if (isWhole && !isAnthropic && chance.happens(0.2)) whole.reasoning = chance.between(0, whole.output);
    this.#count += 1;
    const call: Call = {
      number: this.#count,
      request: caller.name,
      deploymentId: request.origin.slice('http://'.length),
      behaviour,
      isStream: body.stream === true,
      whole,
      billed: { input: 0, cached: 0, output: 0, reasoning: 0 },
      text: textOf(Math.min(whole.output, 200), chance),
      pieces: [],
      next: 0,
      guessed,
      inputTold: false,
      usageTold: false,
      isOver: false,
      isPaused: false,
      receiver,
      process,
    };
    this.#settings.begun(call);
    call.pieces = answerPieces(call, isAnthropic, chance);
    this.open.push(call);
    return {
      pause: () => {
        call.isPaused = true;
      },
      resume: () => {
        call.isPaused = false;
      },
      cancel: () => this.#hungUp(call),
    };
  }

  #hungUp(call: Call): void {
    if (call.isOver) return;
    this.#close(call);
    const { billed, whole, behaviour } = call;
    if (unbilled.has(behaviour) || (call.pieces[0]?.status ?? 0) >= 400) return;
    // Its error was said: nobody hung up on it.
    if (behaviour === 'reports an error in the middle' && call.next + 1 >= call.pieces.length) return;
    if (!this.#settings.stopsOnHangup(call.deploymentId)) Object.assign(billed, whole);
    else if (!call.inputTold && !call.usageTold) billed.input = call.guessed;
  }

  #close(call: Call): void {
    call.isOver = true;
    const at = this.open.indexOf(call);
    if (at >= 0) this.open.splice(at, 1);
  }

  #behaviour(chance: SeededChance): Behaviour {
    const { breaches } = this.#settings;
    let rest = chance.fraction() * behaviourWeights;
    for (const [weight, behaviour] of behaviours) {
      rest -= weight;
      if (rest < 0) return behaviour === 'bills beyond its limit' && !breaches ? 'answers' : behaviour;
    }
    return 'answers';
  }
}

const idle: UpstreamExchange = { pause() {}, resume() {}, cancel() {} };

/** Tokens of four bytes each: four letters, or one character of four bytes. */
function textOf(tokens: number, chance: SeededChance): string {
  const letters = chance.between(0, tokens);
  return 'abcd'.repeat(letters) + '😀'.repeat(tokens - letters);
}
