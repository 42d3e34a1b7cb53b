/**
 * A figure given in whole parts of a unit (`digits` = 3: thousandths) as a plain decimal number without trailing zeros.
 * Whole numbers become text several times faster than fractions, and exactly.
 */
export function decimalText(parts: number, digits: number): string {
  const size = Math.abs(parts);
  let fraction = size % 10 ** digits;
  const whole = (size - fraction) / 10 ** digits;
  const sign = parts < 0 ? '-' : '';
  if (fraction === 0) return `${sign}${whole}`;
  let width = digits;
  for (; fraction % 10 === 0; fraction /= 10) width -= 1;
  return `${sign}${whole}.${String(fraction).padStart(width, '0')}`;
}
