import type { BodyEdits } from '../../core/dialect.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { defineProvider } from '../define.ts';
import { askedJson, form, tokenIn } from '../signed-token.ts';
import { tokenHeader } from '../token-header.ts';

const apiVersionDefault = '2025-02-06';
const service = 'the IBM Cloud token service';
const tokenAddress = 'https://iam.cloud.ibm.com/identity/token';

/** Chat like OpenAI's, but for the names of the model and of who is billed, and an address of its own for streams. */
export const watsonx = defineProvider({
  id: 'watsonx',
  name: 'watsonx',
  conventionName: 'ibm.watsonx.ai',
  documentation: 'https://cloud.ibm.com/apidocs/watsonx-ai#text-chat',
  baseUrl: 'https://us-south.ml.cloud.ibm.com',
  baseUrlVariable: 'WATSONX_URL',
  credentialVariable: 'WATSONX_APIKEY',
  otherCredentialVariables: ['WATSONX_API_KEY'],
  environmentVariables: ['WATSONX_PROJECT_ID', 'WATSONX_SPACE_ID', 'WATSONX_IAM_URL'],
  auth: () => [],
  authorize: ({ credential, environment = {} }) => {
    if (credential === null) return undefined;
    const address = environment.WATSONX_IAM_URL ?? tokenAddress;
    const key = credential.reveal();
    return tokenHeader(['watsonx', address, key], async (outside) => {
      const grant = { grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: key };
      return tokenIn(await askedJson(outside, service, form(address, grant)), service, outside.now());
    });
  },
  usageInStream: 'always',
  path: ({ model, stream, settings }) => {
    const place = isDeployment(model)
      ? `/ml/v1/deployments/${encodeURIComponent(model.slice('deployment/'.length))}`
      : '/ml/v1';
    const version = encodeURIComponent(settings.apiVersion ?? apiVersionDefault);
    return `${place}/text/chat${stream ? '_stream' : ''}?version=${version}`;
  },
  editsFor: (settings) => (call) => edits(settings, call.model),
  modelsPath: null,
});

function isDeployment(model: string): boolean {
  return model.startsWith('deployment/');
}

function edits({ extra, environment = {} }: ConnectionSettings, model: string): BodyEdits {
  const common: [string, unknown][] = [
    ['model', undefined],
    ['stream', undefined],
    ['stream_options', undefined],
  ];
  // A deployment knows its model and its space.
  if (isDeployment(model)) return new Map(common);
  const space = extra.space_id ?? environment.WATSONX_SPACE_ID;
  const project = extra.project_id ?? environment.WATSONX_PROJECT_ID;
  return new Map([
    ...common,
    ['model_id', model],
    project === undefined ? ['space_id', space] : ['project_id', project],
  ]);
}
