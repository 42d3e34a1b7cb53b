import { providerContract } from '../../../test/contract/provider.ts';
import { stability } from './index.ts';

providerContract(stability, [
  { dialect: 'stability-images', model: 'core', address: 'https://api.stability.ai/v2beta/stable-image/generate/core' },
  {
    dialect: 'stability-images',
    model: 'sd3.5-large',
    address: 'https://api.stability.ai/v2beta/stable-image/generate/sd3',
  },
]);
