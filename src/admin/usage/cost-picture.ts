/*
 * What the same traffic costs in several set-ups: straight to a cloud model, on one's own GPUs, and on GPUs with overflow to
 * the cloud. Figures for people, in dollars: money that is charged is never computed here.
 */

/** What was seen on record. */
export interface Traffic {
  /** Length of the time looked at. */
  readonly hours: number;
  /** Answered requests that a provider worked on. */
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly meanOverheadMs: number;
  /** Answered by another model group than the one tried first. */
  readonly overflowed: number;
  /** Mean time lost to the attempts before, where that was seen. */
  readonly overflowDelayMs: number | null;
  /** What was charged, by provider. */
  readonly costByProvider: Readonly<Record<string, number>>;
}

export interface SelfHosted {
  readonly name: string;
  /** Where its hours are shown in the split. */
  readonly provider: string;
  readonly dollarsPerHour: number;
  readonly ratedTokensPerSecond: number;
  readonly servedTokens: number;
}

export interface CloudModel {
  readonly name: string;
  readonly provider: string;
  readonly dollarsPerInputToken: number;
  readonly dollarsPerOutputToken: number;
}

export interface PictureOptions {
  /** Length of the run that is priced. */
  readonly hours: number;
  /** Part of the requests that overflows to the cloud, 0 to 1; null = as seen. */
  readonly overflow: number | null;
  /** Requests a second; null = as seen. */
  readonly requestsPerSecond: number | null;
  /** What the machine costs that the gateway runs on. */
  readonly gatewayDollarsPerHour: number;
}

export interface Setup {
  readonly name: string;
  readonly overheadMs: number;
  readonly dollars: number;
  readonly byProvider: Readonly<Record<string, number>>;
  readonly note: string | null;
}

export interface GpuPicture {
  readonly name: string;
  readonly dollarsPerHour: number;
  readonly ratedTokensPerSecond: number;
  readonly servedTokensPerSecond: number;
  /** Of what it could serve, 0 to 1. */
  readonly utilization: number;
  readonly dollarsPerMillionRated: number;
  /** null when it served nothing. */
  readonly dollarsPerMillionServed: number | null;
  readonly breakEven: readonly BreakEven[];
}

/** From this load on, the GPU is the cheaper one for traffic of this kind. */
export interface BreakEven {
  readonly cloud: string;
  /** What traffic of this kind costs there. */
  readonly dollarsPerMillion: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the rated tokens a second; over 1 = never. */
  readonly utilization: number;
}

export interface CostPicture {
  readonly hours: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly inputTokensPerRequest: number;
  readonly outputTokensPerRequest: number;
  readonly overflow: number;
  readonly overflowSeen: number;
  readonly setups: readonly Setup[];
  readonly gpus: readonly GpuPicture[];
}

export function costPicture(
  traffic: Traffic,
  gpus: readonly SelfHosted[],
  clouds: readonly CloudModel[],
  options: PictureOptions,
): CostPicture {
  const { hours, gatewayDollarsPerHour } = options;
  const perRequest = (tokens: number) => (traffic.requests === 0 ? 0 : tokens / traffic.requests);
  const input = perRequest(traffic.inputTokens);
  const output = perRequest(traffic.outputTokens);
  const requestsPerSecond =
    options.requestsPerSecond ?? (traffic.hours === 0 ? 0 : traffic.requests / traffic.hours / 3_600);
  const requests = requestsPerSecond * 3_600 * hours;
  const overflowSeen = perRequest(traffic.overflowed);
  const overflow = options.overflow ?? overflowSeen;
  const cloudCost = (cloud: CloudModel) => input * cloud.dollarsPerInputToken + output * cloud.dollarsPerOutputToken;
  const ordered = [...clouds].sort((one, other) => cloudCost(one) - cloudCost(other));

  const gateway = gatewayDollarsPerHour * hours;
  const gpuParts = summed(gpus.map((gpu) => [gpu.provider, gpu.dollarsPerHour * hours]));
  const rated = gpus.reduce((sum, gpu) => sum + gpu.ratedTokensPerSecond, 0);
  const load = requestsPerSecond * (input + output);
  const setup = (
    name: string,
    overheadMs: number,
    parts: Record<string, number>,
    note: string | null = null,
  ): Setup => ({
    name,
    overheadMs,
    dollars: Object.values(parts).reduce((sum, part) => sum + part, 0),
    byProvider: parts,
    note,
  });

  const setups: Setup[] = [];
  const scale = traffic.requests === 0 ? 0 : requests / traffic.requests;
  setups.push(
    setup(
      'as recorded, for this load',
      traffic.meanOverheadMs,
      {
        ...Object.fromEntries(
          Object.entries(traffic.costByProvider).map(([provider, dollars]) => [provider, dollars * scale]),
        ),
        gateway,
      },
      gpus.length === 0 ? null : 'as charged: GPUs at their rated price, idle hours not in it',
    ),
  );
  if (gpus.length > 0) {
    const full = rated === 0 ? null : load / rated;
    const note =
      full === null
        ? null
        : full > 1
          ? `needs ${full.toFixed(1)} times the rated capacity`
          : `${percent(full)} of the rated capacity`;
    setups.push(setup('GPUs, direct', 0, gpuParts, note));
    setups.push(setup('GPUs through the gateway', traffic.meanOverheadMs, { ...gpuParts, gateway }, note));
  }
  for (const cloud of ordered) {
    const dollars = requests * cloudCost(cloud);
    setups.push(setup(`${cloud.name}, direct`, 0, { [cloud.provider]: dollars }));
    setups.push(
      setup(`${cloud.name} through the gateway`, traffic.meanOverheadMs, { [cloud.provider]: dollars, gateway }),
    );
    if (gpus.length === 0) continue;
    const delay = traffic.overflowDelayMs;
    setups.push(
      setup(
        `GPUs, ${percent(overflow)} overflow to ${cloud.name}`,
        traffic.meanOverheadMs + overflow * (delay ?? 0),
        added(gpuParts, { [cloud.provider]: dollars * overflow, gateway }),
        delay === null ? 'the time that overflow costs was never seen' : `overflow costs ${Math.round(delay)} ms`,
      ),
    );
  }

  return {
    hours,
    requests,
    requestsPerSecond,
    inputTokensPerRequest: input,
    outputTokensPerRequest: output,
    overflow,
    overflowSeen,
    setups,
    gpus: gpus.map((gpu) => gpuPicture(gpu, traffic, ordered, cloudCost, input + output)),
  };
}

function gpuPicture(
  gpu: SelfHosted,
  traffic: Traffic,
  clouds: readonly CloudModel[],
  cloudCost: (cloud: CloudModel) => number,
  tokensPerRequest: number,
): GpuPicture {
  const seconds = traffic.hours * 3_600;
  const served = seconds === 0 ? 0 : gpu.servedTokens / seconds;
  const perSecond = gpu.dollarsPerHour / 3_600;
  return {
    name: gpu.name,
    dollarsPerHour: gpu.dollarsPerHour,
    ratedTokensPerSecond: gpu.ratedTokensPerSecond,
    servedTokensPerSecond: served,
    utilization: gpu.ratedTokensPerSecond === 0 ? 0 : served / gpu.ratedTokensPerSecond,
    dollarsPerMillionRated: (perSecond / gpu.ratedTokensPerSecond) * 1e6,
    dollarsPerMillionServed: served === 0 ? null : (perSecond / served) * 1e6,
    breakEven: clouds.flatMap((cloud) => {
      const cost = cloudCost(cloud);
      if (cost === 0) return [];
      const requestsPerSecond = perSecond / cost;
      const tokensPerSecond = requestsPerSecond * tokensPerRequest;
      return [
        {
          cloud: cloud.name,
          dollarsPerMillion: (cost / tokensPerRequest) * 1e6,
          requestsPerSecond,
          tokensPerSecond,
          utilization: tokensPerSecond / gpu.ratedTokensPerSecond,
        },
      ];
    }),
  };
}

function summed(parts: readonly (readonly [string, number])[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, amount] of parts) sums[name] = (sums[name] ?? 0) + amount;
  return sums;
}

function added(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): Record<string, number> {
  return summed([...Object.entries(one), ...Object.entries(other)]);
}

export function percent(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`;
}
