import { providerContract } from '../../../test/contract/provider.ts';
import { replicate } from './index.ts';

providerContract(replicate, [
  {
    dialect: 'replicate-chat',
    model: 'meta/meta-llama-3-70b-instruct',
    address: 'https://api.replicate.com/v1/models/meta/meta-llama-3-70b-instruct/predictions',
  },
  {
    dialect: 'replicate-images',
    model: 'black-forest-labs/flux-schnell',
    address: 'https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions',
  },
]);
