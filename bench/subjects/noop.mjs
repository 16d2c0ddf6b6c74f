// What every JavaScript system runs: the smallest task there is.
export function noop(_x, _y) {
  return null;
}
