/** Parameters of a property test with a fixed seed, so that a failure can be reproduced. */
export function seeded(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: 1_700_000_000, numRuns };
}
