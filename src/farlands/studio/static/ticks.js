/** Round numbers for axes. */

/**
 * Multiples of 1, 2 or 5 times a power of ten that lie within a range.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} most About how many there should be.
 * @returns {number[]}
 */
export function niceTicks(low, high, most) {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / Math.max(1, most));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below a step. */
export function niceStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((each) => each * power >= step * (1 - 1e-9));
  return factor * power;
}

/** A range that holds all values with a little room, and more than a point. */
export function rangeOf(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : [Math.min(0, 2 * low), Math.max(0, 2 * high)];
  const room = 0.04 * (high - low);
  // Zero is a line people look for; no room below it where nothing is below it.
  return [low >= 0 && low < 0.3 * high ? 0 : low - room, high + room];
}
