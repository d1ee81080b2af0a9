/** A relation between bounds that the program relies on. */

export interface Relation {
  /** The relation as a sentence. */
  readonly id: string;
  readonly holds: boolean;
}

/**
 * Checks that bounds fit each other.
 *
 * @throws Error if a relation does not hold, which is a bug; the message names all such relations
 */
export function requireRelations(relations: readonly Relation[]): void {
  const broken = relations.filter(({ holds }) => !holds).map(({ id }) => id);
  if (broken.length > 0) throw new Error(`bounds contradict each other: ${broken.join("; ")}`);
}
