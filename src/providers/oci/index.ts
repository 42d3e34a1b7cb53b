import { createHash, createPrivateKey, sign } from 'node:crypto';
import type { Outside } from '../../core/ports.ts';
import { AuthorizationError, type Authorize, type ConnectionSettings, type OutgoingCall } from '../../core/provider.ts';
import { defineProvider } from '../define.ts';
import { fileText } from '../signed-token.ts';

const regionDefault = 'us-ashburn-1';

/** Generative AI in OpenAI's format: every call is signed with the user's key, or carries an API key of the service. */
export const oci = defineProvider({
  id: 'oci',
  name: 'Oracle Cloud',
  documentation: 'https://docs.oracle.com/en-us/iaas/Content/generative-ai/openai-compatible-api.htm',
  checkedAgainst: 'its pages on chat completions and Responses',
  baseUrl: null,
  credentialVariable: 'OCI_GENAI_API_KEY',
  environmentVariables: [
    'OCI_REGION',
    'OCI_USER',
    'OCI_FINGERPRINT',
    'OCI_TENANCY',
    'OCI_KEY',
    'OCI_KEY_FILE',
    'OCI_COMPARTMENT_ID',
    'OCI_PROJECT_ID',
  ],
  auth: (settings) => {
    const compartment = setting(settings, 'oci_compartment_id');
    const project = setting(settings, 'oci_project_id');
    const { credential } = settings;
    return [
      ...(credential === null ? [] : ['authorization', `Bearer ${credential.reveal()}`]),
      ...(compartment === undefined ? [] : ['compartmentid', compartment, 'opc-compartment-id', compartment]),
      ...(project === undefined ? [] : ['openai-project', project]),
    ];
  },
  authorize: signedByUser,
  adjust: (settings) => ({ ...settings, baseUrl: settings.baseUrl ?? addressOf(settings) }),
  dialects: { chat: ['openai-chat', 'openai-responses'] },
  modelsPath: null,
  // They are asked as at OpenAI: `max_completion_tokens`, and no sampling. https://github.com/oracle/langchain-oracle/issues/214
  traits: (model) => ({ reasoningModel: /^openai\.(?:o\d|gpt-5)/.test(model) }),
});

function addressOf(settings: ConnectionSettings): string {
  const region = setting(settings, 'oci_region') ?? regionDefault;
  return `https://inference.generativeai.${region}.oci.oraclecloud.com/openai/v1`;
}

function setting({ extra, environment = {} }: ConnectionSettings, name: string): string | undefined {
  const value = extra[name];
  return typeof value === 'string' && value !== '' ? value : environment[name.toUpperCase()];
}

interface Signer {
  readonly keyId: string;
  readonly key: string | undefined;
  readonly keyFile: string | undefined;
}

function signedByUser(settings: ConnectionSettings): Authorize | undefined {
  if (settings.credential !== null) return undefined;
  const names = ['oci_tenancy', 'oci_user', 'oci_fingerprint'].map((name) => setting(settings, name));
  const key = setting(settings, 'oci_key');
  const keyFile = setting(settings, 'oci_key_file');
  if (names.includes(undefined) || (key ?? keyFile) === undefined) return undefined;
  const signer = { keyId: names.join('/'), key: key?.replaceAll('\\n', '\n'), keyFile };
  return (call, outside) => {
    if (signer.key !== undefined) return signature(call, signer.keyId, signer.key, outside.now());
    return fromFile(call, signer, outside);
  };
}

async function fromFile(call: OutgoingCall, { keyId, keyFile }: Signer, outside: Outside): Promise<readonly string[]> {
  return signature(call, keyId, await fileText(outside, 'oci_key_file', keyFile!), outside.now());
}

/** https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm */
function signature({ method, origin, path, body }: OutgoingCall, keyId: string, key: string, at: number): string[] {
  const date = new Date(at).toUTCString();
  const bodyHash = createHash('sha256').update(body).digest('base64');
  const signed: readonly (readonly [string, string])[] = [
    ['date', date],
    ['(request-target)', `${method.toLowerCase()} ${path}`],
    ['host', new URL(origin).host],
    ['content-length', String(body.length)],
    ['content-type', 'application/json'],
    ['x-content-sha256', bodyHash],
  ];
  const text = signed.map(([name, value]) => `${name}: ${value}`).join('\n');
  let made: string;
  try {
    made = sign('sha256', Buffer.from(text), createPrivateKey(key)).toString('base64');
  } catch {
    throw new AuthorizationError('oci_key cannot be read: expected a private key in PEM');
  }
  const names = signed.map(([name]) => name).join(' ');
  const authorization = `Signature version="1",headers="${names}",keyId="${keyId}",algorithm="rsa-sha256",signature="${made}"`;
  return ['date', date, 'x-content-sha256', bodyHash, 'authorization', authorization];
}
