/** Parameters of a property: always the same cases, so that what fails once fails again. */
export function seeded(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: 1_700_000_000, numRuns };
}
