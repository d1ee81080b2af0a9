/** How many bytes may still be read of what several files hold together. */

/** What is to be read holds more than is left. */
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

  /** @throws BudgetExceededError where so many bytes are not left; nothing is used up by asking */
  require(bytes: number): void {
    if (bytes <= this.#left) return;
    throw new BudgetExceededError(
      `it has ${bytes} bytes, but ${this.#left} of ${this.#total} are left to it`,
    );
  }

  /** Uses up bytes that were read. @throws BudgetExceededError where there were more; then none are left */
  take(bytes: number): void {
    if (bytes <= this.#left) {
      this.#left -= bytes;
      return;
    }
    const left = this.#left;
    this.#left = 0;
    throw new BudgetExceededError(
      `it has more than the ${left} bytes that are left to it, of ${this.#total}`,
    );
  }
}
