/** A sum of nano-dollars, which may be more than a number holds exactly, as dollars: `$12.000000005`. */
export function dollarsText(nanodollars: string): string {
  const digits = nanodollars.replace('-', '').padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '').padEnd(2, '0');
  return `${nanodollars.startsWith('-') ? '-' : ''}$${digits.slice(0, -9)}.${fraction}`;
}
