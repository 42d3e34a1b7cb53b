import { GatewayError } from '../../core/errors.ts';
import type { ContentBlock, NeutralRequest } from '../../core/neutral.ts';

/** Where providers fetch from, and where they keep files. */
const address = /^(?:https?|gs|s3):\/\/./i;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Media that no provider could read, found before they are put into a format whose provider would say so in words of its
 * own. Base64 in its other alphabet, or broken into lines, is made plain.
 */
export function checkMedia(request: NeutralRequest): void {
  let count = 0;
  const visit = (blocks: readonly ContentBlock[]): void => {
    for (const block of blocks) {
      if (block.type === 'tool_result') visit(block.content);
      if (block.type !== 'image' && block.type !== 'audio' && block.type !== 'file') continue;
      count += 1;
      const { source } = block;
      const named = `${block.type} ${count} of the request`;
      if (source.kind === 'url' && !address.test(source.url)) {
        throw unreadable(`${named} has no address that can be fetched: expected a data URL, or one of http or https`);
      }
      if (source.kind === 'base64') source.base64 = plainBase64(source.base64, named);
    }
  };
  for (const { content } of request.messages) visit(content);
}

function plainBase64(text: string, named: string): string {
  if (base64.test(text)) return text;
  const plain = text.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/');
  if (plain === '') throw unreadable(`${named} is empty`);
  if (!base64.test(plain)) throw unreadable(`the data of ${named} is not base64`);
  return plain;
}

function unreadable(problem: string): GatewayError {
  return new GatewayError('malformed_request', `messages: ${problem}`, { param: 'messages' });
}
