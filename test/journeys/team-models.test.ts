import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Deployments of a team under a name of its own (`team_public_model_name`): the same name leads each team elsewhere. */

let upstream: FakeProvider;
let gateway: GatewayProcess;
const keys: Record<string, string> = {};

beforeAll(async () => {
  upstream = await startFakeProvider();
  const model = (name: string, up: string, info: string) =>
    `  - { model_name: ${name}, litellm_params: { model: openai/${up}, api_base: "${upstream.url}/v1", api_key: none }, model_info: { ${info} } }`;
  gateway = await startGateway({
    config: `model_list:
${model('model_name_red_1', 'red-up', 'team_id: red, team_public_model_name: best')}
${model('model_name_red_2', 'red-up', 'team_id: red, team_public_model_name: best')}
${model('model_name_blue_1', 'blue-up', 'team_id: blue, team_public_model_name: best')}
${model('plain', 'plain-up', 'id: plain-1')}
router_settings: { fallbacks: [{ plain: [best] }], num_retries: 0 }
`,
  });
  for (const team of ['red', 'blue', 'green']) {
    await gateway.post('/team/new', { team_id: team, models: team === 'green' ? [] : ['best', 'plain'] });
    const made = (await (await gateway.post('/key/generate', { team_id: team })).json()) as { key: string };
    keys[team] = made.key;
  }
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function ask(team: string, model: string) {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }] };
  const answer = await gateway.post('/v1/chat/completions', body, keys[team]!);
  return { status: answer.status, told: (await answer.json()) as { model?: string; error?: { message: string } } };
}

it('leads each team to its own, and is told back as asked', async () => {
  for (const team of ['red', 'blue']) {
    expect(await ask(team, 'best')).toMatchObject({ status: 200, told: { model: 'best' } });
    expect(upstream.requests.at(-1)!.json).toMatchObject({ model: `${team}-up` });
  }
});

it('is unknown to everybody else', async () => {
  const { status, told } = await ask('green', 'best');
  expect([status, told.error?.message]).toEqual([
    400,
    expect.stringContaining('Invalid model name passed in model=best'),
  ]);
});

it('is listed for the team alone, once', async () => {
  const listed = async (team: string) => {
    const list = (await (await gateway.get('/v1/models', keys[team]!)).json()) as { data: { id: string }[] };
    return list.data.map(({ id }) => id).sort();
  };
  expect((await listed('red')).filter((id) => id === 'best')).toEqual(['best']);
  expect(await listed('red')).toContain('plain');
  expect(await listed('green')).not.toContain('best');
});

it('may stand in for another group', async () => {
  upstream.setForModel('plain-up', serverError(500));
  expect((await ask('blue', 'plain')).status).toBe(200);
  expect(upstream.requests.at(-1)!.json).toMatchObject({ model: 'blue-up' });
  expect((await ask('green', 'plain')).status).toBe(500);
});
