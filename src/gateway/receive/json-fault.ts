const space = /[ \t\r\n]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside strings
const stringToken = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordToken = /true|false|null/y;

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma' | 'end';

const told: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'value or ]': "a value or ']'",
  name: 'a member name in double quotes',
  'name or }': "a member name in double quotes or '}'",
  colon: "':'",
  comma: "',' or the end of what is open",
  end: 'nothing more',
};

/**
 * Where a text stops being JSON and what should stand there: `line 3, column 7: expected ':' but found '='`. Only for
 * texts that the parser refused; one pass, no recursion, never more of the caller's text than one character.
 */
export function jsonFault(text: string): string {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let position = 0;
  const take = (token: RegExp): boolean => {
    token.lastIndex = position;
    if (!token.test(text)) return false;
    position = token.lastIndex;
    return true;
  };
  const closed = (): Expected => {
    open.pop();
    position++;
    return open.length === 0 ? 'end' : 'comma';
  };
  for (;;) {
    take(space);
    const character = text[position];
    if (character === undefined) return at(text, position, expected);
    const inside = open[open.length - 1];
    if (expected === 'end') return at(text, position, expected);
    if (expected === 'colon') {
      if (character !== ':') return at(text, position, expected);
      position++;
      expected = 'value';
    } else if (expected === 'comma') {
      if (character === (inside === '{' ? '}' : ']')) {
        expected = closed();
      } else if (character === ',') {
        position++;
        expected = inside === '{' ? 'name' : 'value';
      } else return at(text, position, expected);
    } else if (expected === 'name' || expected === 'name or }') {
      if (character === '}' && expected === 'name or }') expected = closed();
      else if (take(stringToken)) expected = 'colon';
      else return at(text, position, expected);
    } else if (character === ']' && expected === 'value or ]') {
      expected = closed();
    } else if (character === '{' || character === '[') {
      open.push(character);
      position++;
      expected = character === '{' ? 'name or }' : 'value or ]';
    } else if (
      take(character === '"' ? stringToken : character === '-' || isDigit(character) ? numberToken : wordToken)
    ) {
      expected = open.length === 0 ? 'end' : 'comma';
    } else return at(text, position, expected);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function at(text: string, position: number, expected: Expected): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const character = text[position];
  const broken = character === '"' ? 'a string that is not closed or holds a bad character' : JSON.stringify(character);
  const found = character === undefined ? 'it ends there' : `found ${broken}`;
  return `line ${line}, column ${column}: expected ${told[expected]}, but ${found}`;
}
