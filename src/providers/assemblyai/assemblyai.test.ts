import { providerContract } from '../../../test/contract/provider.ts';
import { assemblyai } from './index.ts';

providerContract(assemblyai, [
  {
    dialect: 'assemblyai-transcription',
    model: 'universal-3-pro',
    address: 'https://api.assemblyai.com/v2/upload',
    headers: { authorization: 'sk-canary-credential-42' },
  },
]);
