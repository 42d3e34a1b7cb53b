import { compatibleContract } from '../../../test/contract/provider.ts';
import { sarvam } from './index.ts';

compatibleContract(sarvam, 'https://api.sarvam.ai/v1', { 'api-subscription-key': 'sk-canary-credential-42' });
