import { providerContract } from '../../../test/contract/provider.ts';
import { falAi } from './index.ts';

providerContract(falAi, [
  {
    dialect: 'fal-images',
    model: 'fal-ai/flux/dev',
    address: 'https://fal.run/fal-ai/flux/dev',
    headers: { authorization: 'Key sk-canary-credential-42' },
  },
]);
