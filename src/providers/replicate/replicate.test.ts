import { providerContract } from '../../../test/contract/provider.ts';
import { replicate } from './index.ts';

providerContract(replicate, [
  {
    dialect: 'replicate-images',
    model: 'black-forest-labs/flux-schnell',
    address: 'https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions',
  },
]);
