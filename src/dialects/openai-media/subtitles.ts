import type { TranscriptPiece } from '../../core/neutral-media.ts';

/** SubRip or WebVTT; a transcript without segments is one piece. */
export function subtitles(kind: 'srt' | 'vtt', pieces: readonly TranscriptPiece[]): string {
  const mark = kind === 'srt' ? ',' : '.';
  const blocks = pieces.map(({ start, end, text }, index) => {
    const number = kind === 'srt' ? `${index + 1}\n` : '';
    return `${number}${timestamp(start, mark)} --> ${timestamp(end, mark)}\n${text.trim().replaceAll('-->', '->')}\n\n`;
  });
  return (kind === 'vtt' ? 'WEBVTT\n\n' : '') + blocks.join('');
}

function timestamp(seconds: number, mark: string): string {
  const total = Math.max(0, Math.round(seconds * 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const whole = Math.floor(total / 1_000);
  const clock = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60].map(two).join(':');
  return `${clock}${mark}${String(total % 1_000).padStart(3, '0')}`;
}

/** Words put together into pieces of at most some seconds, where a provider tells only words. */
export function segmentsOfWords(words: readonly TranscriptPiece[]): TranscriptPiece[] {
  const pieces: TranscriptPiece[] = [];
  for (const word of words) {
    const last = pieces.at(-1);
    const isNew =
      last === undefined ||
      last.speaker !== word.speaker ||
      word.end - last.start > 7 ||
      /[.!?。！？]$/.test(last.text);
    if (isNew) pieces.push({ ...word });
    else {
      last.text = `${last.text} ${word.text}`;
      last.end = word.end;
    }
  }
  return pieces;
}
