import type { JournalPosition } from './journal.ts';
import type { JournalFolder } from './journal-folder.ts';

export interface JournalText {
  readonly text: string;
  /** Where the line ends. */
  readonly end: JournalPosition;
}

const chunkBytes = 256 * 1024;
const lineEnd = 0x0a;

/**
 * The lines of a journal from a position on, across its segments, without holding more than a chunk or one line in
 * memory. What follows the last line end of a segment is a write that was cut off, and is left out.
 */
export function* journalLines(folder: JournalFolder, owner: string, from: JournalPosition): Generator<JournalText> {
  const room = Buffer.allocUnsafe(chunkBytes);
  for (const segment of folder.segments(owner)) {
    if (segment < from.segment) continue;
    let offset = segment === from.segment ? from.offset : 0;
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = room.subarray(0, folder.read(owner, segment, offset + rest.length, room));
      if (chunk.length === 0) break;
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, start)) {
        const text = bytes.toString('utf8', start, end);
        start = end + 1;
        yield { text, end: { segment, offset: offset + start } };
      }
      offset += start;
      // A copy: the room is read into again.
      rest = Buffer.from(bytes.subarray(start));
    }
  }
}
