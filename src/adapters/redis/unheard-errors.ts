import { AbstractConnector } from 'ioredis';

interface Stream {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/**
 * ioredis listens to the first error of a connection and to no other. Over TLS there may be two: an alert, which does not end
 * the connection, and then a reset, or a certificate that is refused and then what the server says to that; the second one would
 * end the program. Every connection passes here, also those that a sentinel's or a cluster's client opens by itself and that
 * take no setting for it. An alert is the end of a connection: what is left of it is thrown away, so that another one is made.
 */
export function hearErrors(): void {
  if (Object.hasOwn(AbstractConnector.prototype, 'stream')) return;
  const streams = new WeakMap<AbstractConnector, Stream>();
  Object.defineProperty(AbstractConnector.prototype, 'stream', {
    get(this: AbstractConnector) {
      return streams.get(this);
    },
    set(this: AbstractConnector, stream: Stream) {
      streams.set(this, stream);
      stream.on('error', () => stream.destroy());
    },
  });
}
