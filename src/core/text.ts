/**
 * Text as every store can hold it and gives it back: well-formed Unicode without U+0000. What cannot be held becomes
 * U+FFFD, so that two readings of the same text stay the same.
 */
export function storableText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
