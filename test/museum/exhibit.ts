/** A bug that gateways of this kind have had in the field, as a change to our own source that brings it back. */
export interface Exhibit {
  /** What goes wrong, in words. */
  readonly name: string;
  /** Where it was seen: an issue, an advisory. A bare #number is one of BerriAI/litellm. */
  readonly seen: string;
  /** The file that is changed, from the root of the repository. */
  readonly file: string;
  /** Each `find` stands in the file exactly once. */
  readonly changes: readonly Change[];
  /** The test files of which at least one test must fail. */
  readonly tests: readonly string[];
  /** Runs only the tests whose name matches. */
  readonly only?: string;
}

export interface Change {
  readonly find: string;
  readonly replace: string;
}

/** Throws when the source has moved on and the change does not fit any more. */
export function changed(source: string, { name, file, changes }: Exhibit): string {
  let text = source;
  for (const { find, replace } of changes) {
    const places = text.split(find).length - 1;
    if (places !== 1) {
      throw new Error(`exhibit "${name}": ${places === 0 ? 'not found' : `found ${places} times`} in ${file}: ${find}`);
    }
    text = text.replace(find, () => replace);
  }
  return text;
}
