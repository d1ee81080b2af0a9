/** A budget of bytes that the reads of several files share. */

/** A read needs more bytes than the budget has left. */
export class BudgetExceededError extends Error {
  override readonly name = "BudgetExceededError";
  readonly code = "budget-exceeded";
}

export class ByteBudget {
  readonly #total: number;
  #left: number;

  constructor(total: number) {
    this.#total = total;
    this.#left = total;
  }

  /**
   * Checks that bytes are left, without taking them.
   *
   * @throws BudgetExceededError
   */
  require(bytes: number): void {
    if (bytes <= this.#left) return;
    throw new BudgetExceededError(
      `it has ${bytes} bytes, but only ${this.#left} of ${this.#total} are left for it`,
    );
  }

  /**
   * Takes bytes that were read.
   *
   * @throws BudgetExceededError if the budget has fewer left; it is then empty
   */
  take(bytes: number): void {
    if (bytes <= this.#left) {
      this.#left -= bytes;
      return;
    }
    const left = this.#left;
    this.#left = 0;
    throw new BudgetExceededError(
      `it has more than the ${left} bytes that are left for it, of ${this.#total}`,
    );
  }
}
