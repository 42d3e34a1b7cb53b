import { AwsFrameSplitter, awsFrames } from '../../core/aws-event-stream.ts';
import { GatewayError } from '../../core/errors.ts';
import type { StreamFraming } from '../../core/provider.ts';
import { identityVariables } from '../bedrock/identity.ts';
import { regionOf, regionVariables, signed, suffixOf } from '../bedrock/signing.ts';
import { defineProvider } from '../define.ts';

/** Endpoints whose container takes OpenAI's chat (vLLM, TGI, LMI): the model is the endpoint's name. */
export const sagemaker = defineProvider({
  id: 'sagemaker',
  name: 'SageMaker',
  documentation:
    'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html',
  aliases: ['sagemaker_chat'],
  baseUrl: null,
  requiresCredential: false,
  environmentVariables: [...identityVariables, ...regionVariables],
  catalogueIds: ['sagemaker'],
  auth: () => [],
  authorize: (settings) => signed(settings, regionOf(settings, undefined), 'sagemaker'),
  adjust: (settings) => {
    const region = regionOf(settings, undefined);
    return { ...settings, baseUrl: settings.baseUrl ?? `https://runtime.sagemaker.${region}.${suffixOf(region)}` };
  },
  path: ({ model, stream }) => `/endpoints/${encodeURIComponent(model)}/invocations${stream ? '-response-stream' : ''}`,
  reframe: () => new PayloadFraming(),
  modelsPath: null,
});

/** The container's own stream, in pieces of any length. */
class PayloadFraming implements StreamFraming {
  readonly #splitter = new AwsFrameSplitter();

  push(chunk: Uint8Array): Uint8Array | null {
    const whole = this.#splitter.push(chunk);
    if (whole === null) return null;
    const pieces: Buffer[] = [];
    for (const { headers, payload } of awsFrames(whole)) {
      if (headers.get(':message-type') !== 'event') {
        const what = headers.get(':exception-type') ?? headers.get(':error-code') ?? 'an error';
        throw new GatewayError('upstream_error', `the stream was ended by ${what}`);
      }
      pieces.push(payload);
    }
    return Buffer.concat(pieces);
  }
}
