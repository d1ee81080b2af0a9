/** From the records of one answer to the copies of their accounts: cut where that may be done, else parsed. */

import { accountCopyText, isGlobalAccount } from "../model/account-copy.ts";
import { CanonicalTextError } from "../model/canonical.ts";
import { WireError } from "../wire/parse.ts";
import { parseWrappedData } from "../wire/wrapped-data.ts";
import { AnswerError } from "./answer-error.ts";
import { quickCopy } from "./quick-copy.ts";

/** Cut copies are compared with parsed ones at the beginning of an answer, and now and then. */
const SAMPLES_FIRST = 32;
const SAMPLE_EVERY = 1_024;

/** A copy, and what its account says of where it belongs. */
export interface AccountCopy {
  readonly accountId: string;
  readonly isGlobal: boolean;
  readonly copy: string;
  /** `latin1` where the copy has a character for each byte. */
  readonly encoding: "utf8" | "latin1";
}

export class RecordCopier {
  #isQuick: boolean;
  #isUncanonical = false;
  #records = 0;

  /** @param isQuick whether copies may be cut at all */
  constructor(isQuick: boolean) {
    this.#isQuick = isQuick;
  }

  /** Whether a sample has shown that the answer's records are not canonical. */
  get isUncanonical(): boolean {
    return this.#isUncanonical;
  }

  parseFromNowOn(): void {
    this.#isQuick = false;
  }

  /** @throws AnswerError `malformed` for a record that is no account */
  copyOf(record: Buffer): AccountCopy {
    const isSample = this.#records < SAMPLES_FIRST || this.#records % SAMPLE_EVERY === 0;
    this.#records++;
    const quick = this.#isQuick ? quickCopy(record) : undefined;
    if (quick === undefined) return parsedCopy(record);
    if (!isSample) {
      return { accountId: quick.accountId, isGlobal: quick.isGlobal, copy: quick.bytes, encoding: "latin1" };
    }
    const parsed = parsedCopy(record);
    if (Buffer.from(parsed.copy).toString("latin1") !== quick.bytes) {
      this.#isUncanonical = true;
      this.#isQuick = false;
    }
    return parsed;
  }
}

function parsedCopy(record: Buffer): AccountCopy {
  try {
    const account = parseWrappedData(record, "a record");
    const copy = accountCopyText(account);
    return { accountId: account.accountId, isGlobal: isGlobalAccount(account), copy, encoding: "utf8" };
  } catch (error) {
    if (!(error instanceof WireError || error instanceof CanonicalTextError)) throw error;
    throw new AnswerError("malformed", error.message, { cause: error });
  }
}
