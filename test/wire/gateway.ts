import { readFileSync } from 'node:fs';
import { type FakeProvider, type FakeProviderOptions, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayOptions, type GatewayProcess, startGateway } from '../journeys/support/gateway-process.ts';
import type { Place } from './row.ts';

export async function gatewayIn(place: Place, options: GatewayOptions): Promise<GatewayProcess> {
  const gateway = await startGateway(options);
  place.onEnd(() => gateway.kill());
  return gateway;
}

export async function fakeIn(place: Place, options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const fake = await startFakeProvider(options);
  place.onEnd(() => fake.close());
  return fake;
}

/** One deployment of a configuration, as a line of `model_list`. */
export function model(name: string, port: number, more = ''): string {
  const extra = more === '' ? '' : `, ${more}`;
  return `  - {model_name: ${name}, litellm_params: {model: openai/m, api_base: "http://127.0.0.1:${port}/v1", api_key: none${extra}}}\n`;
}

/** Resident memory of a process, in bytes. */
export function residentBytes({ child }: GatewayProcess): number {
  const [, pages] = readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4_096;
}

export function openFiles({ child }: GatewayProcess, count: (folder: string) => number): number {
  return count(`/proc/${child.pid}/fd`);
}
