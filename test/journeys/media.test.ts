import { CohereClientV2 } from 'cohere-ai';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MediaServer, startMediaServer } from '../fake-provider/media-server.ts';
import { type GatewayRig, masterKey, startGatewayRig } from './gateway-rig.ts';

/* Images and audio through the official client and over real sockets: forms in, sound and events out. */
let upstream: MediaServer;
let rig: GatewayRig;
let openai: OpenAI;

beforeAll(async () => {
  upstream = await startMediaServer();
  const line = (name: string, model: string, more = '') =>
    `  - model_name: ${name}
    litellm_params: { model: ${model}, api_base: "${upstream.url}", api_key: sk-upstream-1${more} }`;
  rig = await startGatewayRig(`
model_list:
${line('whisper', 'openai/whisper-1')}
${line('listener', 'openai/gpt-4o-transcribe', ', input_cost_per_token: 0.000006, output_cost_per_token: 0.00001')}
${line('tts', 'openai/tts-1')}
${line('dalle', 'openai/dall-e-3')}
${line('painter', 'openai/gpt-image-1', ', input_cost_per_token: 0.000005, output_cost_per_token: 0.00004, input_cost_per_image_token: 0.00001')}
${line('stability', 'stability/core', ', output_cost_per_image: 0.03')}
${line('fal', 'fal_ai/fal-ai/flux', ', output_cost_per_image: 0.025')}
${line('replicate', 'replicate/black-forest-labs/flux', ', output_cost_per_image: 0.003')}
${line('writer', 'replicate/meta/meta-llama-3-8b-instruct', ', input_cost_per_token: 0.00001, output_cost_per_token: 0.00002')}
${line('hf', 'huggingface/a/b', ', output_cost_per_image: 0.001')}
${line('eleven-tts', 'elevenlabs/eleven_v2', ', input_cost_per_character: 0.0003')}
${line('eleven-stt', 'elevenlabs/scribe_v1', ', input_cost_per_second: 0.0001')}
${line('assembly', 'assemblyai/universal-3-pro', ', input_cost_per_second: 0.00007')}
${line('transcribe', 'cohere/cohere-transcribe-03-2026', ', input_cost_per_second: 0.00007')}
${line('deepgram', 'deepgram/nova-3', ', input_cost_per_second: 0.00007')}
general_settings: { max_request_size_mb: 16 }
router_settings: { num_retries: 2, retry_after: 0 }
`);
  openai = new OpenAI({ baseURL: `${rig.url}/v1`, apiKey: masterKey, maxRetries: 0 });
});

beforeEach(() => {
  upstream.requests.length = 0;
});

afterAll(async () => {
  await rig?.close();
  await upstream?.close();
});

async function lastRecord(before: number) {
  return (await rig.recorded(before + 1)).at(-1)!;
}

const sound = (bytes: number) => toFile(Buffer.alloc(bytes, 7), 'speech.mp3', { type: 'audio/mpeg' });

describe('transcriptions', () => {
  it('pass on as a form, with the model replaced, and cost what was heard', async () => {
    upstream.answers = [{ chunks: ['{"text":"Hello","usage":{"type":"duration","seconds":9}}'] }];
    const before = rig.records.length;
    const answer = await openai.audio.transcriptions.create({
      file: await sound(5_000),
      model: 'whisper',
      language: 'en',
      timestamp_granularities: ['word'],
    });
    expect(answer.text).toBe('Hello');
    const [request] = upstream.requests;
    expect(request!.path).toBe('/audio/transcriptions');
    expect(request!.form).toEqual({
      file: 'speech.mp3:5000',
      model: 'whisper-1',
      language: 'en',
      'timestamp_granularities[]': 'word',
    });
    expect(Number(request!.headers['content-length'])).toBe(request!.body.length);
    expect(await lastRecord(before)).toMatchObject({
      operation: 'transcription',
      dialect: 'openai-transcriptions',
      modelGroup: 'whisper',
      usage: { units: { audioMs: 9_000 } },
      cost: 900_000,
      priceSource: 'list:openai',
    });
  });

  it.each([
    ['text', 'text/plain', 'One two.\n'],
    ['srt', 'text/plain', '1\n00:00:00,000 --> 00:00:01,500\nOne two.\n\n'],
    ['vtt', 'text/vtt', 'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne two.\n\n'],
  ] as const)('as %s: the provider is asked for what it can count', async (format, type, expected) => {
    const segments = [{ id: 0, start: 0, end: 1.5, text: ' One two.' }];
    upstream.answers = [{ chunks: [JSON.stringify({ text: 'One two.', duration: 1.5, segments })] }];
    const before = rig.records.length;
    const answer = await openai.audio.transcriptions
      .create({ file: await sound(100), model: 'whisper', response_format: format })
      .asResponse();
    expect(answer.headers.get('content-type')).toContain(type);
    expect(await answer.text()).toBe(expected);
    expect(upstream.requests[0]!.form.response_format).toBe('verbose_json');
    expect((await lastRecord(before)).cost).toBe(150_000);
  });

  it('stream their events, with usage at the end', async () => {
    const events = [
      'event: transcript.text.delta\ndata: {"type":"transcript.text.delta","delta":"Hel"}\n\n',
      'event: transcript.text.delta\ndata: {"type":"transcript.text.delta","delta":"lo"}\n\n',
      'event: transcript.text.done\ndata: {"type":"transcript.text.done","text":"Hello","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":3,"total_tokens":17}}\n\n',
    ];
    upstream.answers = [{ type: 'text/event-stream', chunks: events }];
    const before = rig.records.length;
    const stream = await openai.audio.transcriptions.create({
      file: await sound(100),
      model: 'listener',
      stream: true,
    });
    let text = '';
    for await (const event of stream) if (event.type === 'transcript.text.delta') text += event.delta;
    expect(text).toBe('Hello');
    expect(await lastRecord(before)).toMatchObject({
      status: 'success',
      usage: { inputTokens: 4, inputAudioTokens: 10, outputTokens: 3 },
      cost: 14 * 6_000 + 3 * 10_000,
    });
  });

  it('go on while they come: a large form reaches the provider before it is complete', async () => {
    upstream.answers = [{ chunks: ['{"text":"long","usage":{"type":"duration","seconds":60}}'] }];
    const boundary = 'b0undary';
    const part = (head: string) => Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`);
    let seenEarly = 0;
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([part('name="model"'), Buffer.from('whisper\r\n')]);
      yield part('name="file"; filename="a.wav"\r\nContent-Type: audio/wav');
      for (let index = 0; index < 10; index += 1) {
        yield Buffer.alloc(1_000_000, index);
        await new Promise((resolve) => setTimeout(resolve, 20));
        seenEarly = Math.max(seenEarly, upstream.bytesSeen);
      }
      yield Buffer.from('\r\n');
      yield Buffer.concat([part('name="api_key"'), Buffer.from('sk-late\r\n')]);
      yield Buffer.concat([part('name="model"'), Buffer.from('other\r\n')]);
      yield Buffer.concat([part('name="language"'), Buffer.from('de\r\n'), Buffer.from(`--${boundary}--\r\n`)]);
    }
    const answer = await fetch(`${rig.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}`, 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: slowly() as unknown as string,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toMatchObject({ text: 'long' });
    expect(seenEarly).toBeGreaterThan(4_000_000);
    expect(upstream.requests[0]!.form).toEqual({ model: 'whisper-1', file: 'a.wav:10000000', language: 'de' });
  });

  it('are tried again while they can be sent again', async () => {
    upstream.answers = [
      { status: 500, chunks: ['{"error":{"message":"oops"}}'] },
      { chunks: ['{"text":"second","usage":{"type":"duration","seconds":1}}'] },
    ];
    const answer = await openai.audio.transcriptions.create({ file: await sound(2_000), model: 'whisper' });
    expect(answer.text).toBe('second');
    expect(upstream.requests.map(({ form }) => form.file)).toEqual(['speech.mp3:2000', 'speech.mp3:2000']);
  });

  it.each(['eleven-stt', 'deepgram'])('of %s', async (model) => {
    const words = [
      { text: 'Hi', type: 'word', word: 'hi', punctuated_word: 'Hi', start: 0, end: 0.5 },
      { text: 'there.', type: 'word', word: 'there', punctuated_word: 'there.', start: 0.5, end: 2 },
    ];
    const alternatives = [{ transcript: 'Hi there.', words }];
    const body = { text: 'Hi there.', words, results: { channels: [{ alternatives }] }, metadata: { duration: 2 } };
    upstream.answers = [{ chunks: [JSON.stringify(body)] }];
    const before = rig.records.length;
    const answer = await openai.audio.transcriptions.create({
      file: await sound(300),
      model,
      language: 'en',
      response_format: 'srt',
    });
    expect(answer).toBe('1\n00:00:00,000 --> 00:00:02,000\nHi there.\n\n');
    const [request] = upstream.requests;
    if (model === 'deepgram') {
      expect(request!.path).toBe('/listen?smart_format=true&model=nova-3&language=en');
      expect(request!.headers['content-type']).toBe('audio/mpeg');
      expect(request!.body.length).toBe(300);
    } else expect(request!.form).toEqual({ model_id: 'scribe_v1', language_code: 'en', file: 'speech.mp3:300' });
    expect(await lastRecord(before)).toMatchObject({ usage: { units: { audioMs: 2_000 } } });
  });
});

describe('a provider that answers in steps', () => {
  const json = (body: object) => ({ chunks: [JSON.stringify(body)] });

  it('AssemblyAI: brings the sound, orders a transcript and asks for it until it is there', async () => {
    const words = [
      { text: 'Hi', start: 0, end: 500, confidence: 1, speaker: null },
      { text: 'there.', start: 500, end: 2_000, confidence: 1, speaker: null },
    ];
    upstream.answers = [
      json({ upload_url: 'https://cdn.example/upload/1' }),
      json({ id: 't1', status: 'queued' }),
      json({ id: 't1', status: 'processing' }),
      json({ id: 't1', status: 'completed', text: 'Hi there.', words, audio_duration: 2, language_code: 'en' }),
    ];
    const before = rig.records.length;
    const answer = await openai.audio.transcriptions.create({
      file: await sound(300),
      model: 'assembly',
      response_format: 'verbose_json',
    });
    expect(answer).toMatchObject({ text: 'Hi there.', language: 'en', duration: 2 });
    expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /upload',
      'POST /transcript',
      'GET /transcript/t1',
      'GET /transcript/t1',
    ]);
    expect(upstream.requests[0]!.headers['content-type']).toBe('application/octet-stream');
    expect(upstream.requests[0]!.body.length).toBe(300);
    expect(JSON.parse(upstream.requests[1]!.body.toString())).toEqual({
      audio_url: 'https://cdn.example/upload/1',
      speech_models: ['universal-3-pro'],
      language_detection: true,
    });
    expect(await lastRecord(before)).toMatchObject({ status: 'success', usage: { units: { audioMs: 2_000 } } });
  });

  it('Cohere: a form with the language; its own client is served, and so is OpenAI’s', async () => {
    upstream.answers = [json({ text: 'Hi there.' })];
    const before = rig.records.length;
    const cohere = new CohereClientV2({ environment: rig.url, token: masterKey, maxRetries: 0 });
    const file = await sound(8_000);
    const answer = await cohere.audio.transcriptions.create(file, { model: 'transcribe', language: 'en' });
    expect(answer.text).toBe('Hi there.');
    const form = { model: 'cohere-transcribe-03-2026', language: 'en', file: 'speech.mp3:8000' };
    expect(upstream.requests[0]).toMatchObject({ path: '/v2/audio/transcriptions', form });
    // What nobody tells is reckoned from the bytes.
    expect(await lastRecord(before)).toMatchObject({ status: 'success', usage: { units: { audioMs: 1_000 } } });
    const ask = (more: object) =>
      openai.audio.transcriptions.create({ file: new File(['abc'], 'a.wav'), model: 'transcribe', ...more });
    expect(await ask({ language: 'de', response_format: 'text' })).toBe('Hi there.\n');
    await expect(ask({})).rejects.toThrow('language: Cohere has to be told it');
    await expect(ask({ language: 'de', prompt: 'A name' })).rejects.toThrow("['prompt']");
    await expect(ask({ language: 'de', response_format: 'srt' })).rejects.toThrow('transcripts as "srt"');
    expect(upstream.requests).toHaveLength(2);
  });

  it('AssemblyAI: what it could not make out is told, and charged as unknown', async () => {
    upstream.answers = [
      json({ upload_url: 'https://cdn.example/upload/1' }),
      json({ id: 't1', status: 'error', error: 'No speech found in the file' }),
    ];
    const asked = openai.audio.transcriptions.create({ file: await sound(300), model: 'assembly' });
    await expect(asked).rejects.toThrow('No speech found in the file');
  });

  it('a step that is refused is the answer', async () => {
    upstream.answers = [
      json({ upload_url: 'https://cdn.example/upload/1' }),
      { status: 400, chunks: ['{"error":"speech_models: unknown"}'] },
    ];
    const asked = openai.audio.transcriptions.create({ file: await sound(300), model: 'assembly' });
    await expect(asked).rejects.toMatchObject({ status: 400, message: expect.stringContaining('speech_models') });
  });

  it('Replicate: a prediction that takes longer than the first call waits', async () => {
    upstream.answers = [
      json({ id: 'p1', status: 'processing', output: null }),
      json({ id: 'p1', status: 'succeeded', output: ['https://img.example/1.png'] }),
    ];
    const answer = await openai.images.generate({ model: 'replicate', prompt: 'A cat' });
    expect(answer.data).toMatchObject([{ url: 'https://img.example/1.png' }]);
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'GET', path: '/predictions/p1' });
  });

  it('Replicate: a language model is waited for as well, and a stream is made of its answer', async () => {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const metrics = { input_token_count: 3, output_token_count: 2 };
    const answers = [
      json({ id: 'p2', status: 'starting', output: null }),
      json({ id: 'p2', status: 'succeeded', output: ['Grü', 'ezi'], metrics }),
    ];
    const before = rig.records.length;
    upstream.answers = [...answers];
    const whole = await openai.chat.completions.create({ model: 'writer', messages });
    expect(whole.choices[0]).toMatchObject({ message: { content: 'Grüezi' }, finish_reason: 'stop' });
    expect(whole.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 });
    expect(await lastRecord(before)).toMatchObject({ status: 'success', cost: 70_000 });
    expect(upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /models/meta/meta-llama-3-8b-instruct/predictions',
      'GET /predictions/p2',
    ]);
    upstream.answers = [...answers];
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ model: 'writer', messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('Grüezi');
    expect(await lastRecord(before + 1)).toMatchObject({ status: 'success', cost: 70_000 });
  });
});

describe('speech', () => {
  it('flows as it comes, with the provider’s content type, and costs its characters', async () => {
    const chunks = Array.from({ length: 20 }, (_, index) => Buffer.alloc(5_000, index));
    upstream.answers = [{ type: 'audio/mpeg', chunks }];
    const before = rig.records.length;
    const answer = await openai.audio.speech.create({ model: 'tts', voice: 'alloy', input: 'Grüezi 👋' });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.concat(chunks))).toBe(true);
    expect(await lastRecord(before)).toMatchObject({
      status: 'success',
      usage: { units: { characters: 8 } },
      cost: 120_000,
    });
  });

  it('that breaks is never taken for whole', async () => {
    upstream.answers = [{ type: 'audio/mpeg', chunks: [Buffer.alloc(5_000)], breaks: true }];
    const before = rig.records.length;
    const answer = await openai.audio.speech.create({ model: 'tts', voice: 'alloy', input: 'Hello' });
    await expect(answer.arrayBuffer()).rejects.toThrow();
    expect(await lastRecord(before)).toMatchObject({ status: 'failure', cost: 75_000 });
  });

  it('of ElevenLabs: the voice in the path, the format in the query', async () => {
    upstream.answers = [{ type: 'audio/mpeg', chunks: [Buffer.from('ID3')] }];
    const answer = await openai.audio.speech.create({
      model: 'eleven-tts',
      voice: 'Rachel/1',
      input: 'Hi',
      response_format: 'mp3',
    });
    expect(await answer.text()).toBe('ID3');
    const [request] = upstream.requests;
    expect(request!.path).toBe('/text-to-speech/Rachel%2F1?output_format=mp3_44100_128');
    expect(JSON.parse(request!.body.toString())).toEqual({ text: 'Hi', model_id: 'eleven_v2' });
  });
});

describe('images', () => {
  it('pass on and cost what their size and quality cost', async () => {
    upstream.answers = [{ chunks: ['{"created":1,"data":[{"url":"https://x/1.png"}]}'] }];
    const before = rig.records.length;
    const answer = await openai.images.generate({ model: 'dalle', prompt: 'A cat', size: '1024x1792', quality: 'hd' });
    expect(answer.data).toEqual([{ url: 'https://x/1.png' }]);
    expect(await lastRecord(before)).toMatchObject({ operation: 'image', cost: 120_000_000, bound: 120_000_000 });
  });

  const image = Buffer.from('not really an image').toString('base64');
  const completed = {
    type: 'image_generation.completed',
    b64_json: image,
    usage: { input_tokens: 10, output_tokens: 20 },
  };

  it('stream their partial images', async () => {
    const partial = { type: 'image_generation.partial_image', b64_json: image, partial_image_index: 0 };
    upstream.answers = [
      {
        type: 'text/event-stream',
        chunks: [partial, completed].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
      },
    ];
    const before = rig.records.length;
    const stream = await openai.images.generate({ model: 'painter', prompt: 'A cat', stream: true, partial_images: 1 });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
    expect((await lastRecord(before)).cost).toBe(10 * 5_000 + 20 * 40_000);
  });

  it('stream also from a provider that does not', async () => {
    upstream.answers = [{ chunks: [JSON.stringify({ created: 1, data: [{ b64_json: image }] })] }];
    const stream = await openai.images.generate({ model: 'painter', prompt: 'A cat', stream: true });
    const events: unknown[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toMatchObject([{ type: 'image_generation.completed', b64_json: image }]);
  });

  it('are changed: a form with files, tokens of what was sent counted', async () => {
    const usage = {
      input_tokens: 300,
      input_tokens_details: { image_tokens: 290, text_tokens: 10 },
      output_tokens: 100,
    };
    upstream.answers = [{ chunks: [JSON.stringify({ created: 1, data: [{ b64_json: image }], usage })] }];
    const before = rig.records.length;
    const png = () => toFile(Buffer.alloc(64), 'a.png', { type: 'image/png' });
    await openai.images.edit({
      model: 'painter',
      prompt: 'Bluer',
      image: [await png(), await png()],
      mask: await png(),
    });
    expect(upstream.requests[0]!.form).toMatchObject({
      model: 'gpt-image-1',
      prompt: 'Bluer',
      'image[]': 'a.png:64,a.png:64',
      mask: 'a.png:64',
    });
    expect(await lastRecord(before)).toMatchObject({ cost: 10 * 5_000 + 290 * 10_000 + 100 * 40_000 });
  });

  it.each([
    ['stability', { image, finish_reason: 'SUCCESS' }, { b64_json: image }, 30_000_000],
    ['fal', { images: [{ url: 'https://f/1.png' }] }, { url: 'https://f/1.png' }, 25_000_000],
    ['replicate', { status: 'succeeded', output: ['https://r/1.png'] }, { url: 'https://r/1.png' }, 3_000_000],
  ])('of %s', async (model, body, expected, cost) => {
    upstream.answers = [{ chunks: [JSON.stringify(body)] }];
    const before = rig.records.length;
    const answer = await openai.images.generate({ model, prompt: 'A cat', size: '1792x1024' });
    expect(answer.data).toEqual([expected]);
    const [request] = upstream.requests;
    const told = request!.form.prompt === undefined ? JSON.parse(request!.body.toString()) : request!.form;
    expect(told).toEqual(
      {
        stability: { prompt: 'A cat', aspect_ratio: '16:9' },
        fal: { prompt: 'A cat', image_size: { width: 1792, height: 1024 } },
        replicate: { input: { prompt: 'A cat', aspect_ratio: '16:9' } },
      }[model as 'fal'],
    );
    expect((await lastRecord(before)).cost).toBe(cost);
  });

  it('of Hugging Face, whose answer is the image itself', async () => {
    upstream.answers = [{ type: 'image/png', chunks: [Buffer.from('PNG')] }];
    const answer = await openai.images.generate({ model: 'hf', prompt: 'A cat' });
    expect(answer.data).toEqual([{ b64_json: Buffer.from('PNG').toString('base64') }]);
  });
});

describe('bad input is a clear 4xx', () => {
  const form = (fields: Record<string, string | Blob>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return body;
  };
  const send = (path: string, body: string | FormData, headers: Record<string, string> = {}) =>
    fetch(`${rig.url}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${masterKey}`, ...headers } });
  const file = new Blob(['x']);

  it.each([
    [{ model: 'whisper' }, 400, 'file: expected a file'],
    [{ file, model: 'whisper', response_format: 'mp4' }, 400, 'response_format: expected one of json'],
    [{ file, model: 'whisper', temperature: 'hot' }, 400, 'temperature: expected a number from 0 to 1'],
    [{ file, model: 'whisper', stream: 'perhaps' }, 400, 'stream: expected true or false'],
    [{ file }, 400, 'model: required'],
    [{ file, model: 'nothing' }, 400, 'nothing'],
    [{ file, model: 'fal' }, 400, 'transcription'],
    [{ file: new Blob([Buffer.alloc(17 * 1024 * 1024)]), model: 'whisper' }, 413, 'larger than the limit'],
  ])('%#', async (fields, status, message) => {
    const answer = await send('/v1/audio/transcriptions', form(fields as Record<string, string>));
    const text = await answer.text();
    expect(answer.status, text).toBe(status);
    expect(text).toContain(message);
  });

  it.each([
    ['{}', 'application/json', 415, 'must be a form'],
    ['--x\r\nnonsense\r\n\r\nx\r\n--x--\r\n', 'multipart/form-data; boundary=x', 400, 'a part has no name'],
    [
      '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nx',
      'multipart/form-data; boundary=x',
      400,
      'middle of a part',
    ],
    ['', 'multipart/form-data; boundary=x', 400, 'middle of a part'],
    ['x', 'multipart/form-data', 415, 'must be a form'],
  ])('%#', async (body, type, status, message) => {
    const answer = await send('/v1/audio/transcriptions', body, { 'content-type': type });
    const text = await answer.text();
    expect(answer.status, text).toBe(status);
    expect(text).toContain(message);
  });

  it('says which provider’s format has no words for what is asked', async () => {
    const translated = await send('/v1/audio/translations', form({ file, model: 'deepgram' }));
    expect([translated.status, await translated.text()]).toEqual([400, expect.stringContaining('translations')]);
    const streamed = await rig.post('/v1/images/generations', { model: 'fal', prompt: 'x', stream: true });
    expect([streamed.status, await streamed.text()]).toEqual([400, expect.stringContaining("'stream'")]);
    const many = await rig.post('/v1/images/generations', { model: 'dalle', prompt: 'x', n: 11 });
    expect([many.status, await many.text()]).toEqual([
      400,
      expect.stringContaining('n: expected a whole number from 1 to 10'),
    ]);
  });

  it.each([
    ['/v1/audio/transcriptions', { model: 'whisper' }, 'file'],
    ['/v1/audio/translations', { model: 'eleven-stt' }, 'file'],
    ['/v1/images/edits', { model: 'painter', prompt: 'Blue' }, 'image'],
    ['/v1/images/variations', { model: 'painter' }, 'image'],
  ])('an empty file goes nowhere: %s', async (path, fields, field) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value as string);
    form.append(field, new Blob([]), 'empty.bin');
    const reply = await fetch(`${rig.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}` },
      body: form,
    });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { message: `${field}: the file is empty`, param: field } });
    expect(upstream.requests).toEqual([]);
  });

  it('a key that is not good is told so also with a form', async () => {
    const answer = await send('/v1/audio/transcriptions', form({ file, model: 'whisper' }), {
      authorization: 'Bearer sk-wrong',
    });
    expect(answer.status).toBe(401);
  });
});
