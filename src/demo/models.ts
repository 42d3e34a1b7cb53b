/** A simulated model: what it is called, how fast it is, what its price is in the demo config. */
export interface DemoModel {
  /** Public name, and first part of the path it is served under. */
  readonly name: string;
  /** The name its own server knows it by. */
  readonly servedName: string;
  readonly kind: 'self-hosted' | 'cloud';
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
}

export const selfHostedModel: DemoModel = {
  name: 'llama-4-scout',
  servedName: 'meta-llama/Llama-4-Scout-17B-16E-Instruct',
  kind: 'self-hosted',
  firstTokenMs: 80,
  tokensPerSecond: 90,
};

export const cloudModel: DemoModel = {
  name: 'gpt-4o-mini',
  servedName: 'gpt-4o-mini',
  kind: 'cloud',
  firstTokenMs: 250,
  tokensPerSecond: 60,
};

export const demoModels: readonly DemoModel[] = [selfHostedModel, cloudModel];
