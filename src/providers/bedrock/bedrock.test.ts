import { describe, expect, it } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import { awsEvent, awsException } from '../../core/aws-event-stream.ts';
import { type Outside, OutsideError, type OutsideRequest } from '../../core/ports.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { bedrock } from './index.ts';

const west = 'https://bedrock-runtime.us-west-2.amazonaws.com';

providerContract(bedrock, [
  {
    dialect: 'bedrock-converse',
    model: 'us.amazon.nova-pro-v1:0',
    address: `${west}/model/us.amazon.nova-pro-v1%3A0/converse`,
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { model: 'eu-central-1/anthropic.claude-3-haiku-20240307-v1:0' },
    dialect: 'anthropic-messages',
    model: 'eu-central-1/anthropic.claude-3-haiku-20240307-v1:0',
    address: 'https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke',
  },
  {
    settings: { model: 'converse/arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2' },
    dialect: 'bedrock-converse',
    model: 'converse/arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2',
    address:
      'https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2/converse',
  },
  {
    settings: { extra: { aws_region_name: 'cn-north-1', model_id: 'my-profile' } },
    dialect: 'bedrock-converse',
    model: 'amazon.nova-lite-v1:0',
    address: 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/my-profile/converse',
  },
  {
    settings: { extra: { aws_bedrock_runtime_endpoint: 'https://vpce-1.bedrock.example' } },
    dialect: 'bedrock-converse',
    model: 'amazon.nova-lite-v1:0',
    address: 'https://vpce-1.bedrock.example/model/amazon.nova-lite-v1%3A0/converse',
  },
  {
    dialect: 'titan-embed',
    model: 'amazon.titan-embed-text-v2:0',
    address: `${west}/model/amazon.titan-embed-text-v2%3A0/invoke`,
  },
  {
    dialect: 'invoked-rerank',
    model: 'cohere.rerank-v3-5:0',
    address: `${west}/model/cohere.rerank-v3-5%3A0/invoke`,
  },
  { dialect: 'invoked-cohere-embed', model: 'cohere.embed-v4:0', address: `${west}/model/cohere.embed-v4%3A0/invoke` },
]);

it('asks each model in a way that it can be asked', () => {
  const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  expect(bedrock.traits(claude)).toMatchObject({ supportsJsonSchema: true, supportsImageUrls: false });
  expect(bedrock.traits(claude).soleDialect).toBe(undefined);
  expect(bedrock.traits(`converse/${claude}`).soleDialect).toBe('bedrock-converse');
  expect(bedrock.traits(`invoke/${claude}`).soleDialect).toBe('anthropic-messages');
  expect(bedrock.traits('amazon.nova-pro-v1:0').soleDialect).toBe('bedrock-converse');
});

it('says in the body what other places say in the address and in headers', () => {
  const endpoint = bedrock.endpoint(connection({}));
  const body = { model: 'm', stream: true, max_tokens: 5, messages: [] };
  const headers = { 'anthropic-beta': 'one,two' };
  const edits = endpoint.edits!({ dialect: 'anthropic-messages', model: 'm', stream: true, body, headers });
  expect(Object.fromEntries(edits)).toEqual({
    model: undefined,
    stream: undefined,
    anthropic_version: 'bedrock-2023-05-31',
    anthropic_beta: ['one', 'two'],
  });
});

it('takes events out of their frames, whole, and tells failures as events', () => {
  const event = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é"}}';
  const frame = awsEvent('chunk', { bytes: Buffer.from(event).toString('base64') });
  const framing = new AwsChunkFraming();
  expect(framing.push(frame.subarray(0, 20))).toBe(null);
  expect(framing.push(frame.subarray(20))!.toString()).toBe(`event: content_block_delta\ndata: ${event}\n\n`);
  expect(framing.push(awsException('throttlingException', 'Slow down.'))!.toString()).toBe(
    'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}\n\n',
  );
});

const call = {
  method: 'POST' as const,
  origin: west,
  path: '/model/m/converse',
  headers: ['content-type', 'application/json'],
  body: Buffer.from('{}'),
};

function connection(extra: ConnectionSettings['extra'], environment: Record<string, string> = {}): ConnectionSettings {
  return {
    baseUrl: null,
    credential: null,
    model: 'amazon.nova-lite-v1:0',
    apiVersion: null,
    organization: null,
    extra,
    headers: {},
    environment: { HOME: '/home/me', ...environment },
  };
}

/** What the outside is asked, and answers by the beginning of an address or the name of a file. */
function outsideOf(answers: Readonly<Record<string, string>>) {
  const asked: OutsideRequest[] = [];
  const outside: Outside = {
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    send: async (request) => {
      asked.push(request);
      const found = Object.keys(answers).find((beginning) => request.address.startsWith(beginning));
      if (found === undefined) throw new OutsideError('connection refused');
      return { status: answers[found]!.includes('<Error>') ? 403 : 200, body: answers[found]! };
    },
    readFile: async (path) => {
      if (answers[path] === undefined) throw new OutsideError('the file is not there');
      return answers[path];
    },
  };
  return { asked, outside };
}

async function signatureBy(settings: ConnectionSettings, outside: Outside): Promise<Record<string, string>> {
  const list = await bedrock.endpoint(settings).authorize!(call, outside);
  return Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1]!]] : [])));
}

const sts = (id: string) =>
  `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>s3cr3t</SecretAccessKey>` +
  '<SessionToken>session-1</SessionToken><Expiration>2026-01-02T04:04:05Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>';
const metadata = (id: string) =>
  JSON.stringify({ AccessKeyId: id, SecretAccessKey: 's', Token: 't', Expiration: '2026-01-02T04:04:05Z' });
const keys = { aws_access_key_id: 'AKIDOWN', aws_secret_access_key: 'own-secret' };
const roleArn = 'arn:aws:iam::123456789012:role/bedrock';

describe('who signs', () => {
  it('the keys in the settings, with nobody asked', async () => {
    const { asked, outside } = outsideOf({});
    const signed = await signatureBy(connection({ ...keys, aws_session_token: 'tok' }), outside);
    expect(signed['x-amz-date']).toBe('20260102T030405Z');
    expect(signed['x-amz-security-token']).toBe('tok');
    expect(signed.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDOWN\/20260102\/us-west-2\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
    expect(asked).toEqual([]);
  });

  it('a role that the keys may assume', async () => {
    const { asked, outside } = outsideOf({ 'https://sts.us-west-2.amazonaws.com/': sts('ASIAROLE') });
    const settings = connection({ ...keys, aws_role_name: roleArn, aws_external_id: 'ext', aws_session_name: 'me' });
    const signed = await signatureBy(settings, outside);
    expect(signed.authorization).toContain('Credential=ASIAROLE/');
    expect(signed['x-amz-security-token']).toBe('session-1');
    expect(asked).toHaveLength(1);
    const form = new URLSearchParams(asked[0]!.body!);
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: roleArn,
      ExternalId: 'ext',
      RoleSessionName: 'me',
    });
    expect(asked[0]!.headers.join(' ')).toContain('Credential=AKIDOWN/20260102/us-west-2/sts/aws4_request');
    await signatureBy(settings, outside);
    expect(asked).toHaveLength(1);
  });

  it('a role by the identity of another service', async () => {
    const answers = { 'https://sts.example/': sts('ASIAWEB'), '/var/run/token': 'aaa.bbb.ccc\n' };
    const { asked, outside } = outsideOf(answers);
    const extra = {
      aws_role_name: roleArn,
      aws_web_identity_token: '/var/run/token',
      aws_sts_endpoint: 'https://sts.example/',
    };
    expect((await signatureBy(connection(extra), outside)).authorization).toContain('Credential=ASIAWEB/');
    expect(new URLSearchParams(asked[0]!.body!).get('WebIdentityToken')).toBe('aaa.bbb.ccc');
    const inCluster = {
      AWS_ROLE_ARN: roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token',
      AWS_STS_ENDPOINT: 'https://sts.example/',
    };
    expect((await signatureBy(connection({}, inCluster), outside)).authorization).toContain('Credential=ASIAWEB/');
  });

  it('a profile, and the role it names', async () => {
    const files = {
      '/home/me/.aws/credentials': '[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key=abc\n',
      '/home/me/.aws/config': `[profile prod]\nrole_arn = ${roleArn}\nsource_profile = default\n`,
      'https://sts.us-west-2.amazonaws.com/': sts('ASIAPROD'),
    };
    const { asked, outside } = outsideOf(files);
    expect((await signatureBy(connection({}), outside)).authorization).toContain('Credential=AKIDDEFAULT/');
    const signed = await signatureBy(connection({ aws_profile_name: 'prod' }), outside);
    expect(signed.authorization).toContain('Credential=ASIAPROD/');
    expect(asked[0]!.headers.join(' ')).toContain('Credential=AKIDDEFAULT/');
    await expect(signatureBy(connection({ aws_profile_name: 'nobody' }), outside)).rejects.toThrow(/profile nobody/);
  });

  it('the container, then the machine', async () => {
    const { outside } = outsideOf({
      'http://169.254.170.2/creds': metadata('ASIATASK'),
      'http://169.254.169.254/latest/api/token': 'imds-token',
      'http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role': metadata('ASIAEC2'),
      'http://169.254.169.254/latest/meta-data/iam/security-credentials/': 'my-role',
    });
    const inTask = { HOME: '/a', AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/creds' };
    expect((await signatureBy(connection({}, inTask), outside)).authorization).toContain('Credential=ASIATASK/');
    expect((await signatureBy(connection({}, { HOME: '/b' }), outside)).authorization).toContain('Credential=ASIAEC2/');
  });

  it('nobody: told without an address or a key', async () => {
    const { outside } = outsideOf({
      'https://sts.us-west-2.amazonaws.com/': '<Error><Code>AccessDenied</Code></Error>',
    });
    await expect(signatureBy(connection({}, { HOME: '/c' }), outside)).rejects.toMatchObject({
      name: 'AuthorizationError',
      unreachable: true,
      message: 'the metadata service of the machine cannot be reached: connection refused',
    });
    const off = { HOME: '/d', AWS_EC2_METADATA_DISABLED: 'true' };
    await expect(signatureBy(connection({}, off), outside)).rejects.toThrow(/no AWS keys were found/);
    const refused = connection({ ...keys, aws_secret_access_key: 'x', aws_role_name: roleArn });
    await expect(signatureBy(refused, outside)).rejects.toMatchObject({ unreachable: false, message: /AccessDenied/ });
  });
});
