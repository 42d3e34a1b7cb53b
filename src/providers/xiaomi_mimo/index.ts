import { defineProvider } from '../define.ts';

export const xiaomiMimo = defineProvider({
  id: 'xiaomi_mimo',
  name: 'Xiaomi MiMo',
  documentation: 'https://platform.xiaomimimo.com/',
  baseUrl: 'https://api.xiaomimimo.com/v1',
  baseUrlVariable: 'XIAOMI_MIMO_API_BASE',
  credentialVariable: 'XIAOMI_MIMO_API_KEY',
  modelPrefixes: ['mimo-'],
});
