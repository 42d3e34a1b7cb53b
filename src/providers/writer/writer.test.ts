import { providerContract } from '../../../test/contract/provider.ts';
import { writer } from './index.ts';

providerContract(writer, [{ dialect: 'openai-chat', model: 'some-model', address: 'https://api.writer.com/v1/chat' }]);
