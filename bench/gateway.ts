import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import type { RunningTarget } from './targets.ts';

const masterKey = 'sk-bench-master-key-0123456789';

/** Far above anything the load reaches: every limit is checked, none is met. */
const limits = {
  max_budget: 1_000_000,
  budget_duration: '30d',
  rpm_limit: 1_000_000_000,
  tpm_limit: 1_000_000_000_000,
};

const config = (upstreamPort: number): string => `model_list:
  - model_name: bench-model
    litellm_params:
      model: openai/bench-model
      api_base: http://127.0.0.1:${upstreamPort}/v1
      api_key: sk-upstream
      input_cost_per_token: 0.00000015
      output_cost_per_token: 0.0000006
litellm_settings:
  callbacks: [prometheus, otel]
general_settings:
  master_key: ${masterKey}
`;

/**
 * Starts the gateway in a folder of its own and makes an organization, a team, a user and a key, each with its budget
 * and limits. `command` is what Node is given before the flags.
 */
export async function startGateway(options: {
  readonly root: string;
  readonly command: readonly string[];
  readonly upstreamPort: number;
  readonly workers?: number;
}): Promise<RunningTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const configFile = join(folder, 'config.yaml');
  await writeFile(configFile, config(options.upstreamPort));
  const port = await freePort();
  const flags = ['--config', configFile, '--port', String(port), '--data-folder', join(folder, 'data')];
  if (options.workers !== undefined) flags.push('--workers', String(options.workers));
  const child = new Child([...options.command, ...flags], {
    cwd: options.root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // The bare upstream takes the spans.
      OTEL_EXPORTER: 'otlp_http',
      OTEL_ENDPOINT: `http://127.0.0.1:${options.upstreamPort}/otel`,
    },
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await child.answersAt(`http://127.0.0.1:${port}/health/liveliness`);
    const { key, features } = await makeKey(`http://127.0.0.1:${port}`);
    const name = options.workers === undefined ? 'gateway' : `gateway, ${options.workers} workers`;
    return { name, pid: child.pid, port, headers: { authorization: `Bearer ${key}` }, features, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeKey(url: string): Promise<{ key: string; features: string[] }> {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST ${path} was answered ${answer.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const organization = await post('/organization/new', {
    organization_alias: 'bench',
    models: ['bench-model'],
    ...limits,
  });
  const team = await post('/team/new', {
    team_alias: 'bench',
    organization_id: organization.organization_id,
    ...limits,
  });
  const user = await post('/user/new', {
    user_id: 'bench-user',
    auto_create_key: false,
    teams: [team.team_id],
    ...limits,
  });
  const key = await post('/key/generate', {
    user_id: user.user_id,
    team_id: team.team_id,
    models: ['bench-model'],
    ...limits,
  });
  const levels = ['organization', 'team', 'user', 'key'].map((level) => `${level} budget and limits`);
  return {
    key: String(key.key),
    features: ['virtual key', ...levels, 'price', 'journal', 'usage row', 'metrics', 'span'],
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
