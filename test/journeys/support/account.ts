import type { GatewayProcess } from './gateway-process.ts';

/** A key made for one test, with what the gateway says was spent with it. */
export interface Account {
  readonly key: string;
  /** In nano-dollars. */
  spent(): Promise<number>;
}

export async function accountAt(gateway: GatewayProcess, limits: object = {}): Promise<Account> {
  const made = await gateway.post('/key/generate', limits);
  const { key } = (await made.json()) as { key: string };
  const spent = async () => {
    const told = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
    return Math.round(told.info.spend * 1e9);
  };
  return { key, spent };
}
