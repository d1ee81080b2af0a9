/** Problems of rows that are left out of a list: all are counted, and the first few described. */

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
