/** What is wrong with the rows of a list that are left out of it: all are counted, the first few described. */

export interface RowProblems {
  readonly count: number;
  readonly first: readonly string[];
}

const problemsShown = 3;

export class RowProblemList implements RowProblems {
  readonly first: string[] = [];
  count = 0;

  add(problem: string): void {
    this.count++;
    if (this.first.length < problemsShown) this.first.push(problem);
  }
}

export function describeRowProblems({ count, first }: RowProblems): string {
  return `${first.join("; ")}${count > first.length ? `; and ${count - first.length} more` : ""}`;
}
