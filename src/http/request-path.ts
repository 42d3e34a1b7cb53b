/** Path without query; the absolute form that proxies may send, without its origin. */
export function pathOf(url: string): string {
  const query = url.indexOf('?');
  const target = query === -1 ? url : url.slice(0, query);
  if (target.startsWith('/')) return target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target;
  const match = /^https?:\/\/[^/]*(\/.*)?$/i.exec(target);
  return match?.[1] ?? '/';
}

/** Query without its `?`. */
export function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}
