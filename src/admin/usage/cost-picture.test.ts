import { expect, it } from 'vitest';
import { type CloudModel, costPicture, type PictureOptions, type SelfHosted, type Traffic } from './cost-picture.ts';

/** An H100 at 2.01 dollars an hour, 100 requests a second of 300 tokens, 8 hours: the reference deployment's figures. */
const seconds = 8 * 3_600;
const traffic: Traffic = {
  hours: 8,
  requests: 100 * seconds,
  inputTokens: 0,
  outputTokens: 100 * seconds * 300,
  meanOverheadMs: 0.8,
  overflowed: 100 * seconds * 0.1,
  overflowDelayMs: 75,
  costByProvider: { vllm: 16, cloud: 4 },
};
const h100: SelfHosted = {
  name: 'llama',
  provider: 'vllm',
  dollarsPerHour: 2.01,
  ratedTokensPerSecond: 30_000,
  servedTokens: 0.9 * 100 * seconds * 300,
};
const mini: CloudModel = { name: 'mini', provider: 'cloud', dollarsPerInputToken: 0, dollarsPerOutputToken: 0.6e-6 };
const options: PictureOptions = { hours: 8, overflow: null, requestsPerSecond: null, gatewayDollarsPerHour: 0.0625 };

const setupOf = (picture: ReturnType<typeof costPicture>, name: string) =>
  picture.setups.find((setup) => setup.name === name)!;

it('prices the reference deployment', () => {
  const picture = costPicture(traffic, [h100], [mini], options);
  expect(picture).toMatchObject({ requestsPerSecond: 100, outputTokensPerRequest: 300, overflow: 0.1 });
  expect(setupOf(picture, 'GPUs, direct')).toMatchObject({ dollars: 16.08, note: '100 % of the rated capacity' });
  expect(setupOf(picture, 'GPUs through the gateway').dollars).toBeCloseTo(16.58, 9);
  const tokens = 100 * seconds * 300;
  expect(setupOf(picture, 'mini, direct').dollars).toBeCloseTo(tokens * 0.6e-6, 6);
  const hybrid = setupOf(picture, 'GPUs, 10 % overflow to mini');
  expect(hybrid.byProvider).toMatchObject({ vllm: 16.08, gateway: 0.5 });
  expect(hybrid.byProvider.cloud).toBeCloseTo(tokens * 0.06e-6, 6);
  expect(hybrid.overheadMs).toBeCloseTo(0.8 + 7.5, 9);
  expect(setupOf(picture, 'as recorded, for this load').dollars).toBeCloseTo(20.5, 9);
});

it('shows a GPU by what it is rated for and by what it served, and where it pays', () => {
  const [gpu] = costPicture(traffic, [{ ...h100, servedTokens: 30_000 * seconds * 0.05 }], [mini], options).gpus;
  expect(gpu!.dollarsPerMillionRated).toBeCloseTo((2.01 / 3_600 / 30_000) * 1e6, 9);
  expect(gpu!.utilization).toBeCloseTo(0.05, 9);
  expect(gpu!.dollarsPerMillionServed! / gpu!.dollarsPerMillionRated).toBeCloseTo(20, 9);
  const [even] = gpu!.breakEven;
  expect(even!.requestsPerSecond * 300 * 0.6e-6 * 3_600).toBeCloseTo(2.01, 9);
  expect(even!.utilization).toBeLessThan(0.04);
  expect(even!.dollarsPerMillion).toBeCloseTo(0.6, 9);
  const dear = costPicture(traffic, [{ ...h100, dollarsPerHour: 200 }], [mini], options).gpus[0]!.breakEven[0]!;
  expect(dear.utilization).toBeGreaterThan(1);
});

it('takes another load and overflow, and says when the GPUs are too small', () => {
  const picture = costPicture(traffic, [h100], [mini], { ...options, requestsPerSecond: 250, overflow: 0.5, hours: 1 });
  expect(setupOf(picture, 'GPUs, direct').note).toBe('needs 2.5 times the rated capacity');
  expect(setupOf(picture, 'GPUs, 50 % overflow to mini').byProvider.cloud).toBeCloseTo(250 * 3_600 * 150 * 0.6e-6, 9);
});

it('has no figures that are none where nothing was recorded', () => {
  const nothing = {
    ...traffic,
    hours: 0,
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    overflowed: 0,
    costByProvider: {},
  };
  const picture = costPicture(nothing, [{ ...h100, servedTokens: 0 }], [mini], options);
  expect(JSON.stringify(picture)).not.toMatch(/null,"note"|NaN/);
  expect(picture.gpus[0]).toMatchObject({ utilization: 0, dollarsPerMillionServed: null, breakEven: [] });
});
