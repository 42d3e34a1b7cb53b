import { ApiError, type Content, type FunctionCall, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { type Client, conversation, type Heard, question, weather } from './client.ts';

const { schema, ...described } = weather;
const tools = [{ functionDeclarations: [{ ...described, parametersJsonSchema: schema }] }];

export const googleClient: Client = {
  name: '@google/genai',
  finishes: { said: 'STOP', called: 'STOP' },
  open: (baseUrl, apiKey) => {
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });
    return (model, hasTools) => {
      const contents: Content[] = [{ role: 'user', parts: [{ text: question }] }];
      let calls: FunctionCall[] = [];
      const send = async (isStream: boolean): Promise<Heard> => {
        const body = { model, contents, ...(hasTools && { config: { tools } }) };
        const told: GenerateContentResponse[] = [];
        if (isStream) for await (const chunk of await client.models.generateContentStream(body)) told.push(chunk);
        else told.push(await client.models.generateContent(body));
        const parts = told.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
        contents.push({ role: 'model', parts });
        calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
        const usage = told.at(-1)?.usageMetadata;
        return {
          text: parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join(''),
          calls: calls.map(({ name, args }) => ({ name: name!, arguments: args })),
          finish: told.at(-1)?.candidates?.[0]?.finishReason,
          inputTokens: usage?.promptTokenCount,
          outputTokens: usage?.candidatesTokenCount,
        };
      };
      return conversation(send, (results) => {
        const parts = calls.map(({ id, name }, at) => ({
          functionResponse: { ...(id !== undefined && { id }), name: name!, response: { output: results[at]! } },
        }));
        contents.push({ role: 'user', parts });
      });
    };
  },
  failure: (error) => (error instanceof ApiError ? error : undefined),
};
