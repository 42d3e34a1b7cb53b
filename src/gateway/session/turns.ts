import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import type { Gateway } from '../gateway.ts';
import { Slice } from './slice.ts';

/** Where the slices of a session are spent. */
export interface Place {
  readonly deployment: Deployment;
  /** As the provider calls it. */
  readonly model: string;
}

/** A turn that began before its slice came. */
interface Awaited {
  isOver: boolean;
  usage: Usage | undefined;
}

/**
 * The turns of a session. One slice is always held in advance, because a provider that listens begins turns on its own; when
 * none can be had any more, `refusal` says why.
 */
export class Turns {
  readonly #gateway: Gateway;
  #arrival: Arrival;
  /** A slice came, or was refused. */
  readonly #decided: () => void;
  #place: Place | null = null;
  #spare: Slice | null = null;
  /** Turns under way, by the id of their response. */
  readonly #active = new Map<string, Slice>();
  /** Turns that began before their slice came. */
  readonly #awaited = new Map<string, Awaited>();
  #granting: Promise<void> | null = null;
  #isStopped = false;
  #isClosed = false;
  refusal: GatewayError | null = null;

  constructor(gateway: Gateway, arrival: Arrival, decided: () => void) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#decided = decided;
  }

  /** `arrival`: what stands for a turn. */
  begin(place: Place, arrival: Arrival, first: Slice): void {
    this.#place = place;
    this.#arrival = arrival;
    this.#spare = first;
  }

  get areUnderWay(): boolean {
    return this.#active.size + this.#awaited.size > 0;
  }

  /** Their ids. */
  get underWay(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** Nothing is under way or asked for, and nothing more can be begun. */
  get areRefused(): boolean {
    return this.#spare === null && this.refusal !== null;
  }

  get areBeingAsked(): boolean {
    return this.#granting !== null;
  }

  /** Whether a turn may be asked for; when not, `refusal` says why. */
  async room(): Promise<boolean> {
    if (this.#spare === null) await this.#grant();
    return this.#spare !== null;
  }

  /** Resolves to false where nobody can pay for it: what the provider makes of it until it is stopped is on record all the same. */
  async began(id: string): Promise<boolean> {
    if (this.#spare !== null) {
      this.#begin(id, this.#spare);
      return true;
    }
    const awaited: Awaited = { isOver: false, usage: undefined };
    this.#awaited.set(id, awaited);
    // The one before it has just ended: its slice is being asked for.
    if (!this.#isStopped) await this.#grant();
    if (this.#spare === null) {
      void this.#unpaid(id, awaited);
      return false;
    }
    this.#awaited.delete(id);
    this.#begin(id, this.#spare);
    if (awaited.isOver) this.ended(id, awaited.usage);
    return true;
  }

  /** It takes its place on the books whether there is room or not. */
  async #unpaid(id: string, awaited: Awaited): Promise<void> {
    try {
      const funds = { isSpent: true, release: () => undefined };
      const slice = await this.#claimed({ ...this.#arrival, funds });
      if (awaited.isOver) slice.end('success', awaited.usage ?? null);
      else if (this.#isClosed) slice.end('aborted', null);
      else this.#active.set(id, slice);
    } catch (cause) {
      this.#gateway.log.error('a turn that nobody could pay for could not be recorded', { cause: String(cause) });
    }
    this.#awaited.delete(id);
    this.#decided();
  }

  #begin(id: string, slice: Slice): void {
    this.#spare = null;
    this.#active.set(id, slice);
    void this.#grant();
  }

  ended(id: string, usage: Usage | undefined): void {
    const awaited = this.#awaited.get(id);
    if (awaited !== undefined) {
      awaited.isOver = true;
      awaited.usage = usage;
      return;
    }
    const slice = this.#active.get(id) ?? this.#spare;
    if (slice === null) return;
    if (slice === this.#spare) this.#spare = null;
    this.#active.delete(id);
    slice.end('success', usage ?? null);
    if (this.#spare === null) {
      this.refusal = null;
      void this.#grant();
    }
  }

  /** Nothing more is held in advance; what is held, and what is under way, stays. */
  stop(): void {
    this.#isStopped = true;
  }

  /** What was begun and never ended may be billed in full. */
  close(): void {
    this.#isStopped = true;
    this.#isClosed = true;
    for (const slice of this.#active.values()) slice.end('aborted', null);
    this.#active.clear();
    this.#spare?.end('success', noUsage);
    this.#spare = null;
  }

  /** Sees to it that a slice is held in advance, or that it is known why there is none. */
  #grant(): Promise<void> {
    this.#granting ??= this.#oneMore().finally(() => {
      this.#granting = null;
      this.#decided();
    });
    return this.#granting;
  }

  async #oneMore(): Promise<void> {
    if (this.#spare !== null || this.#isStopped) return;
    try {
      const slice = await this.#claimed(this.#arrival);
      if (this.#isStopped || this.#spare !== null) slice.end('success', noUsage);
      else {
        this.#spare = slice;
        this.refusal = null;
      }
    } catch (cause) {
      this.refusal = asGatewayError(cause);
    }
  }

  async #claimed(arrival: Arrival): Promise<Slice> {
    const { deployment, model } = this.#place!;
    const slice = await Slice.grant(this.#gateway, arrival);
    await slice.begin(deployment, model);
    return slice;
  }
}
