/**
 * This format has one list, `images`, for whatever is not text: the server tells sounds from images by how they begin
 * (https://github.com/ollama/ollama/blob/main/llm/media.go). WAV and MP3 are what it knows.
 */
export function soundIn(base64: string): 'wav' | 'mp3' | null {
  const head = Buffer.from(base64.slice(0, 16), 'base64').toString('latin1');
  if (head.startsWith('RIFF') && head.slice(8) === 'WAVE') return 'wav';
  if (head.startsWith('ID3')) return 'mp3';
  return head.length > 1 && head[0] === '\xff' && head.charCodeAt(1) >= 0xe0 ? 'mp3' : null;
}
