/** The middle value, or the mean of the middle two. @param {number[]} values */
export function median(values) {
  const sorted = ascending(values);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}

/**
 * Between which two of the values the true median lies, 19 times of 20, however they are spread: of 15 it is the fourth
 * and the twelfth. With fewer than 6 it is the least and the greatest, and less sure.
 * @param {number[]} values
 * @returns {[low: number, high: number]}
 */
export function bounds(values) {
  const sorted = ascending(values);
  const n = sorted.length;
  let left = 0; // so many are left out on each side
  let chance = 0.5 ** n; // that so many, and no more, of n values are under their median
  let outside = chance;
  while (left + 1 < n / 2) {
    chance *= (n - left) / (left + 1);
    if (2 * (outside + chance) > 0.05) break;
    outside += chance;
    left++;
  }
  return 2 * outside > 0.05 ? [sorted[0], sorted[n - 1]] : [sorted[left], sorted[n - 1 - left]];
}

/** @param {number[]} values */
function ascending(values) {
  if (values.length === 0) throw new RangeError('no values');
  return values.toSorted((a, b) => a - b);
}
