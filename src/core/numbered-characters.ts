const escapeStart = Buffer.from('\\u');
/** A search of larger texts costs more than remembering what was found. */
const rememberedBytesMin = 16 * 1024;
const remembered = new WeakMap<Buffer, boolean>();

/** Does JSON tell any character by its number (`\u00e9`)? Asked several times of one request. */
export function hasNumberedCharacters(json: Buffer): boolean {
  if (json.length < rememberedBytesMin) return json.includes(escapeStart);
  let has = remembered.get(json);
  if (has === undefined) {
    has = json.includes(escapeStart);
    remembered.set(json, has);
  }
  return has;
}
