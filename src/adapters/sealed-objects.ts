import type { KeptObject, Log, ObjectStore } from '../core/ports.ts';

/** How a text is made unreadable in the store; `rowId` binds it to its row. */
export interface Seal {
  seal(text: string, rowId: string): string;
  /** Throws when it was sealed under another key. */
  open(sealed: string, rowId: string): string;
}

/** What callers said and were answered stands in the store only under the operator's key. */
export function sealedObjects(store: ObjectStore, seal: Seal, log: Log): ObjectStore {
  const opened = (object: KeptObject): KeptObject | undefined => {
    try {
      return { ...object, body: seal.open(object.body, object.id) };
    } catch {
      log.warn('a kept answer cannot be read: the salt key or master key has changed', { id: object.id });
      return undefined;
    }
  };
  return {
    put: (objects) => store.put(objects.map((object) => ({ ...object, body: seal.seal(object.body, object.id) }))),
    get: async (id) => {
      const found = await store.get(id);
      return found === undefined ? undefined : opened(found);
    },
    children: async (parent) => (await store.children(parent)).map(opened).filter((object) => object !== undefined),
    remove: (ids) => store.remove(ids),
    removeExpired: (now) => store.removeExpired(now),
  };
}
