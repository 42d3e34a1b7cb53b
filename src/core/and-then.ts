/**
 * Goes on with a value that is mostly there at once and sometimes still to come. An asynchronous function would make a
 * promise, and wait a turn, for every request.
 */
export function andThen<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
