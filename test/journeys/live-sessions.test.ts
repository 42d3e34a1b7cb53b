import { GoogleGenAI, type LiveServerMessage, Modality, type Session } from '@google/genai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type LiveFake, startLiveFake } from '../fake-provider/live.ts';
import { type Account, accountAt } from './support/account.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Google's Live API, by Google's own client: each answer is paid for by itself, and the provider's invoice and the gateway's
   books agree to the nano-dollar. */
let fake: LiveFake;
let gateway: GatewayProcess;

/** The public price of gemini-live-2.5-flash. */
const flash = { text: 500, audio: 3_000, output: 2_000, outputAudio: 12_000 };

beforeAll(async () => {
  const dear = { text: 100_000, audio: 100_000, output: 100_000, outputAudio: 100_000 };
  fake = await startLiveFake({
    'models/gemini-live-2.5-flash': flash,
    'models/dear': dear,
    'projects/p/locations/us-central1/publishers/google/models/gemini-live-2.5-flash': flash,
  });
  gateway = await startGateway({
    config: `
model_list:
  - model_name: live
    litellm_params: { model: gemini/gemini-live-2.5-flash, api_base: "${fake.url}/v1beta", api_key: google-key-1 }
  - model_name: dear
    litellm_params: { model: gemini/dear, api_base: "${fake.url}/v1beta", api_key: google-key-1, input_cost_per_token: 0.0001, output_cost_per_token: 0.0001 }
    model_info: { max_input_tokens: 1000, max_output_tokens: 100 }
  - model_name: on-vertex
    litellm_params: { model: vertex_ai/gemini-live-2.5-flash, api_base: "${fake.url}", api_key: ya29.token, vertex_project: p, vertex_location: us-central1 }
  - model_name: gpt
    litellm_params: { model: openai/gpt-4o, api_key: sk-upstream-1 }
`,
  });
});

beforeEach(() => {
  fake.invoice.length = 0;
  fake.sessions.length = 0;
  fake.faults = {};
});

afterAll(async () => {
  await gateway?.stop();
  await fake.close();
});

const account = (limits: object = {}) => accountAt(gateway, limits);

async function becomes({ spent }: Account, expected: () => number): Promise<number> {
  for (let waited = 0; waited < 4_000 && (await spent()) !== expected(); waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await spent()).toBe(expected());
  return expected();
}

/** The books say what the invoice says. */
const agree = (mine: Account) => becomes(mine, () => fake.billed());

interface Talk {
  readonly session: Session;
  readonly heard: LiveServerMessage[];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Resolves once so many answers are over. */
  turns(count: number): Promise<void>;
  until(is: (message: LiveServerMessage) => boolean, count?: number): Promise<void>;
}

const clientOf = (apiKey: string, apiVersion = 'v1beta') =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.url, apiVersion } });

async function talk(key: string, model = 'live', config: object = {}): Promise<Talk> {
  // Its client knows tokens in this version alone.
  const ai = clientOf(key, key.startsWith('auth_tokens/') ? 'v1alpha' : 'v1beta');
  const heard: LiveServerMessage[] = [];
  let closes: (event: { code: number; reason: string }) => void = () => undefined;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    closes = resolve;
  });
  const session = await ai.live.connect({
    model,
    config: { responseModalities: [Modality.AUDIO], ...config },
    callbacks: {
      onmessage: (message) => void heard.push(message),
      onclose: ({ code, reason }) => closes({ code, reason }),
    },
  });
  const until: Talk['until'] = async (is, count = 1) => {
    for (let waited = 0; waited < 5_000; waited += 10) {
      if (heard.filter(is).length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`not told: ${JSON.stringify(heard).slice(0, 2_000)} ${gateway.log()}`);
  };
  const turns = (count: number) => until(({ serverContent }) => serverContent?.turnComplete === true, count);
  return { session, heard, closed, until, turns };
}

const say = ({ session }: Talk, text: string) => session.sendClientContent({ turns: text, turnComplete: true });

describe('a session of the Live API', () => {
  it('goes to the provider under its own name, key and model, and costs its answers', async () => {
    const mine = await account({ models: ['live'], max_budget: 2 });
    const one = await talk(mine.key, 'live', { systemInstruction: 'Be brief.' });
    const { request, heard } = fake.sessions[0]!;
    expect(request.url).toBe('/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent');
    expect(request.headers['x-goog-api-key']).toBe('google-key-1');
    expect(JSON.stringify(request.rawHeaders)).not.toContain(mine.key);
    expect(heard[0]).toMatchObject({ setup: { model: 'models/gemini-live-2.5-flash' } });
    say(one, 'Hello');
    await one.turns(1);
    say(one, 'And again');
    await one.turns(2);
    expect(one.heard.some(({ data }) => data !== undefined)).toBe(true);
    one.session.close();
    await agree(mine);
    expect(fake.invoice).toHaveLength(2);
    const rows = (await (await gateway.get(`/spend/logs?api_key=${mine.key}`)).json()) as Record<string, unknown>[];
    const paid = rows.filter(({ spend }) => (spend as number) > 0);
    expect(paid.map(({ call_type, model_group }) => `${call_type} ${model_group}`)).toEqual(
      Array(2).fill('_arealtime live'),
    );
  });

  it.each([
    ['told late', { late: true }],
    ['told while it goes on', { twice: true }],
  ])('whose usage is %s is paid once', async (_, faults) => {
    fake.faults = faults;
    const mine = await account();
    const one = await talk(mine.key);
    for (let turn = 1; turn <= 3; turn += 1) {
      say(one, `Question ${turn}`);
      await one.turns(turn);
    }
    await one.until(({ usageMetadata }) => usageMetadata !== undefined, 3);
    one.session.close();
    await agree(mine);
    expect(fake.invoice).toHaveLength(3);
  });

  it('that listens pays for what the provider answers by itself', async () => {
    const mine = await account();
    const one = await talk(mine.key);
    for (let turn = 1; turn <= 2; turn += 1) {
      for (const byte of [1, 1, 0]) {
        const data = Buffer.alloc(3_200, byte).toString('base64');
        one.session.sendRealtimeInput({ audio: { data, mimeType: 'audio/pcm;rate=16000' } });
      }
      await one.turns(turn);
    }
    one.session.close();
    await agree(mine);
    expect(fake.invoice).toHaveLength(2);
  });

  it('pays for the call of a tool and for the answer to its result, each with all that was read', async () => {
    const mine = await account();
    const one = await talk(mine.key);
    say(one, 'How is the weather?');
    await one.until(({ toolCall }) => toolCall !== undefined);
    one.session.sendToolResponse({ functionResponses: [{ id: 'call_1', name: 'weather', response: { sky: 'blue' } }] });
    await one.turns(1);
    one.session.close();
    await agree(mine);
    expect(fake.invoice).toHaveLength(2);
  });

  it('ends with the reason where the budget has no room for another answer, not a token over', async () => {
    // An answer is held at up to 1,000 tokens in and 100 out: 11 cents.
    const mine = await account({ max_budget: 0.12 });
    const one = await talk(mine.key, 'dear');
    say(one, 'One '.repeat(60));
    await one.turns(1);
    expect((await one.closed).code).toBe(1008);
    expect(await agree(mine)).toBeLessThanOrEqual(120_000_000);
    expect(fake.invoice).toHaveLength(1);
    await expect(talk(mine.key, 'dear')).rejects.toThrow(/1008|[Bb]udget/);
    expect(fake.sessions).toHaveLength(1);
  });

  it.each([
    ['whose provider cuts an answer', { cuts: true }],
    ['whose client leaves in an answer', { hangs: true }],
    ['that never hears what an answer came to', { silent: true }],
  ])('%s pays what was held for it, which is more than the invoice', async (_, faults) => {
    fake.faults = faults;
    const mine = await account({ max_budget: 0.25 });
    const one = await talk(mine.key, 'dear');
    say(one, 'Hello');
    await one.until(({ serverContent }) => serverContent?.modelTurn !== undefined);
    if ('cuts' in faults) expect((await one.closed).code).toBe(1011);
    else one.session.close();
    await becomes(mine, () => 1_000 * 100_000 + 100 * 100_000);
    expect(fake.billed()).toBeLessThan(await mine.spent());
  });

  it('at Vertex AI, too', async () => {
    const mine = await account();
    const one = await talk(mine.key, 'on-vertex');
    const { request } = fake.sessions[0]!;
    expect(request.url).toBe('/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent');
    expect(request.headers.authorization).toBe('Bearer ya29.token');
    say(one, 'Hello');
    await one.turns(1);
    one.session.close();
    await agree(mine);
  });

  it.each([
    ['gpt', /does not (offer|serve) realtime/],
    ['unknown', /Invalid model name/],
  ])('with the model %s is refused with what is wrong', async (model, reason) => {
    await expect(talk(masterKey, model)).rejects.toThrow(reason);
    expect(fake.sessions).toHaveLength(0);
  });

  it('with a model that the key may not use, a bad key, or no setup, is refused', async () => {
    const mine = await account({ models: ['gpt'] });
    await expect(talk(mine.key)).rejects.toThrow(/not allowed/);
    await expect(talk('sk-wrong')).rejects.toThrow(/401/);
    const path = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}?key=${masterKey}`);
    socket.on('open', () => socket.send('{"clientContent":{"turnComplete":true}}'));
    const reason = await new Promise<string>((resolve) => socket.on('close', (_, why) => resolve(why.toString())));
    expect(reason).toContain('setup');
    expect(fake.sessions).toHaveLength(0);
  });
});

describe('a token for a browser', () => {
  const setups = () => fake.sessions.map(({ heard }) => (heard[0] as { setup: Record<string, unknown> }).setup);

  async function tokenOf(key: string, config: object = {}): Promise<string> {
    const { name } = await clientOf(key, 'v1alpha').authTokens.create({ config });
    expect(name).toMatch(/^auth_tokens\/[\w-]+$/);
    return name!;
  }

  it('opens the session it was made for, once, on the account of its key', async () => {
    const mine = await account({ models: ['live'] });
    const constraints = { model: 'live', config: { systemInstruction: 'Be brief.', temperature: 0.5 } };
    const token = await tokenOf(mine.key, { liveConnectConstraints: constraints });
    const one = await talk(token, 'dear', { systemInstruction: 'Be long.', temperature: 2 });
    const { request } = fake.sessions[0]!;
    expect(request.headers['x-goog-api-key']).toBe('google-key-1');
    expect(request.url).toBe('/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent');
    expect(JSON.stringify(request.rawHeaders)).not.toContain(token);
    expect(setups()[0]).toMatchObject({
      model: 'models/gemini-live-2.5-flash',
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      generationConfig: { temperature: 0.5 },
    });
    say(one, 'Hello');
    await one.turns(1);
    one.session.close();
    await agree(mine);
    expect(fake.invoice).toHaveLength(1);
    await expect(talk(token)).rejects.toThrow(/401/);
    expect(gateway.log()).not.toContain(token);
  });

  it('leaves to the browser what it does not lock', async () => {
    const mine = await account();
    const liveConnectConstraints = { model: 'live', config: { systemInstruction: 'Be brief.' } };
    const chosen = { systemInstruction: 'Be long.', temperature: 2, topP: 0.1 };
    const some = await tokenOf(mine.key, { liveConnectConstraints, lockAdditionalFields: ['temperature'], uses: 2 });
    const few = await tokenOf(mine.key, { liveConnectConstraints, lockAdditionalFields: [] });
    const none = await tokenOf(mine.key, { uses: 0 });
    for (const token of [some, some, few, none]) (await talk(token, 'live', chosen)).session.close();
    await expect(talk(some, 'live', chosen)).rejects.toThrow(/401/);
    (await talk(none, 'live')).session.close();
    const told = setups().map(({ systemInstruction, generationConfig }) => [
      (systemInstruction as { parts: { text: string }[] } | undefined)?.parts[0]?.text,
      (generationConfig as { temperature?: number }).temperature,
      (generationConfig as { topP?: number }).topP,
    ]);
    expect(told).toEqual([
      ['Be brief.', undefined, 0.1],
      ['Be brief.', undefined, 0.1],
      ['Be brief.', 2, 0.1],
      ['Be long.', 2, 0.1],
      [undefined, undefined, undefined],
    ]);
  });

  it('ends when it says, and what is under way is finished', async () => {
    const mine = await account();
    const token = await tokenOf(mine.key, { expireTime: new Date(Date.now() + 1_500).toISOString() });
    const one = await talk(token);
    say(one, 'Hello');
    await one.turns(1);
    expect((await one.closed).code).toBe(1001);
    await agree(mine);
    const late = await tokenOf(mine.key, { newSessionExpireTime: new Date(Date.now() + 1_000).toISOString() });
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    await expect(talk(late)).rejects.toThrow(/401/);
  });

  it('is good for nothing else, and what is wrong with a wish is told in Google’s words', async () => {
    const mine = await account();
    const token = await tokenOf(mine.key, { uses: 0 });
    const asSecret = `ek_${token.slice('auth_tokens/'.length)}`;
    for (const key of [token, asSecret]) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content: 'Hi' }] });
      expect((await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status).toBe(401);
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=live`, { headers });
      const status = await new Promise((resolve) => {
        socket.once('unexpected-response', (_, response) => resolve(response.statusCode));
        socket.once('error', () => undefined);
      });
      expect(status).toBe(401);
    }
    await expect(talk(`${token}x`)).rejects.toThrow(/401/);
    for (const [wish, message] of [
      [{ uses: -1 }, 'uses: expected a whole number from 0'],
      [{ expireTime: 'soon' }, 'expireTime: expected a time such as'],
      [{ newSessionExpireTime: '2001-01-01T00:00:00Z' }, 'in the next 20 hours'],
      [{ fieldMask: 7 }, 'fieldMask: expected names'],
      [{ bidiGenerateContentSetup: { model: 7 } }, 'bidiGenerateContentSetup.model: expected the name'],
      [{ nonsense: true }, 'nonsense: not known here'],
    ] as const) {
      const answer = await gateway.post('/v1alpha/auth_tokens', wish);
      expect(answer.status).toBe(400);
      const { error } = (await answer.json()) as { error: { message: string; status: string } };
      expect(error.status).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain(message);
    }
    const keyless = await fetch(`${gateway.url}/v1alpha/auth_tokens`, { method: 'POST', body: '{}' });
    expect(keyless.status).toBe(401);
  });
});
