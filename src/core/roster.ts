/** What can stand in one roster at a time. */
export interface Listed {
  /** Where it stands; -1 when it does not. Written by the roster alone. */
  place: number;
}

/**
 * Who is there now, in no order, each joining and leaving in constant time and without garbage. A Set that entries pass
 * through is rehashed again and again, and each table it leaves behind keeps alive what stood in it: with one entry a
 * request, nearly every request then outlives the young generation and is collected at the price of the whole heap.
 */
export class Roster<Member extends Listed> implements Iterable<Member> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    if (member.place >= 0) return;
    member.place = this.#members.length;
    this.#members.push(member);
  }

  delete(member: Member): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[place] = last;
    last.place = place;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members[Symbol.iterator]();
  }
}
