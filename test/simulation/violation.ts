/** Something that must hold does not. Its text begins with the letters of docs/proof.md. */
export class Violation extends Error {}
