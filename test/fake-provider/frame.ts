import type { SseStyle } from './script.ts';

/** One server-sent event and what it stands for in the life of a stream. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
  readonly kind: 'start' | 'content' | 'finish' | 'usage' | 'error' | 'done';
  /** Output tokens that had to be produced for this event. */
  readonly tokens: number;
}

/** The event's bytes as text, in any of the spellings the SSE grammar allows. */
export function renderFrame(frame: Frame, style: SseStyle = {}, isLast = false): string {
  const end = style.lineEnding ?? '\n';
  const separator = style.noSpaceAfterColon ? ':' : ': ';
  const lines: string[] = [];
  if (style.comments) lines.push(': comment');
  if (frame.event !== undefined) lines.push(`event${separator}${frame.event}`);
  for (const line of style.multilineData ? spread(frame.data) : [frame.data]) lines.push(`data${separator}${line}`);
  return lines.join(end) + (isLast && style.unterminatedLastEvent ? '' : end + end);
}

/** The same JSON over several lines: a line break between two values changes nothing. */
function spread(json: string): string[] {
  return json.startsWith('{') ? JSON.stringify(JSON.parse(json), null, 1).split('\n') : [json];
}
