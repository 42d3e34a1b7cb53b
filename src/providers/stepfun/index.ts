import { defineProvider } from '../define.ts';

export const stepfun = defineProvider({
  id: 'stepfun',
  name: 'StepFun',
  documentation: 'https://platform.stepfun.com/docs/api-reference/chat/chat-completion-create',
  baseUrl: 'https://api.stepfun.com/v1',
  baseUrlVariable: 'STEPFUN_API_BASE',
  credentialVariable: 'STEPFUN_API_KEY',
  modelPrefixes: ['step-'],
});
