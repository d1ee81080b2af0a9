/** Comparisons of more than two numbers, for relations between bounds. */

/** Returns whether numbers ascend; equal neighbours count as ascending. */
export function ascends(...values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value);
}

/** Returns whether numbers strictly ascend. */
export function strictlyAscends(...values: readonly number[]): boolean {
  return ascends(...values) && new Set(values).size === values.length;
}
