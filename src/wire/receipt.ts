/** Parses a receipt in an archiver's database of receipts (archiver 3.7.7, `src/dbstore/receipts.ts`). */

import { receiptAccountsMax, receiptSignaturesMax } from "../limits/resume.ts";
import { isHex64 } from "../protocol/address.ts";
import type { AfterState, Receipt } from "../protocol/receipt.ts";
import { parseAs, parseJson, WireError } from "./parse.ts";
import * as z from "./schema.ts";

/** The columns of a row that state something about accounts. */
export interface ReceiptTexts {
  readonly signedReceipt: string;
  readonly afterStates: string;
  readonly isGlobalModification: boolean;
}

const text = z.string("expected a text");
const flag = z.boolean("expected true or false");
const accounts = z
  .array(text, "expected a list")
  .max(receiptAccountsMax, `expected at most ${receiptAccountsMax}`);
const signatures = z
  .array(z.unknown(), "expected a list")
  .max(receiptSignaturesMax, `expected at most ${receiptSignaturesMax} signatures`);

const voted = z.object({
  proposal: z.object({
    applied: flag,
    cant_preApply: flag,
    accountIDs: accounts,
    beforeStateHashes: accounts,
    afterStateHashes: accounts,
    appReceiptDataHash: text,
    txid: text,
    executionShardKey: text.optional(),
  }),
  signaturePack: signatures,
  voteOffsets: signatures,
});

const global = z.object({
  signs: signatures,
  tx: z.object({ address: text, addressHash: text, afterStateHash: text, source: text, txId: text }),
});

const afterStates = z
  .array(z.unknown(), "expected a list of accounts")
  .max(receiptAccountsMax, `expected at most ${receiptAccountsMax} accounts`)
  .pipe(
    z.array(
      z.object({
        accountId: z.custom<string>(isHex64, "expected 64 lower-case hex digits"),
        data: z.record(text, z.unknown(), "expected an object"),
        isGlobal: flag.nullish(),
      }),
    ),
  );

/**
 * @param source names the receipt in messages
 * @throws WireError
 */
export function parseReceipt(texts: ReceiptTexts, source: string): Receipt {
  const signed = parseJson(texts.signedReceipt, `${source}, signedReceipt`);
  const states = statesOf(parseJson(texts.afterStates, `${source}, afterStates`), `${source}, afterStates`);
  if (texts.isGlobalModification) return globalReceipt(signed, states, source);
  const { proposal, signaturePack, voteOffsets } = parseAs(voted, signed, `${source}, signedReceipt`);
  return {
    kind: "voted",
    proposal: {
      applied: proposal.applied,
      cantPreApply: proposal.cant_preApply,
      accountIds: proposal.accountIDs,
      beforeStateHashes: proposal.beforeStateHashes,
      afterStateHashes: proposal.afterStateHashes,
      appReceiptDataHash: proposal.appReceiptDataHash,
      txId: proposal.txid,
      executionShardKey: proposal.executionShardKey,
    },
    signatures: signaturePack,
    voteOffsets,
    afterStates: states,
  };
}

function globalReceipt(signed: unknown, states: readonly AfterState[], source: string): Receipt {
  const { signs, tx } = parseAs(global, signed, `${source}, signedReceipt`);
  // The signatures are over all fields, also over those that the schema does not know.
  const received = (signed as { tx: Record<string, unknown> }).tx;
  return { kind: "global", ...tx, tx: received, signatures: signs, afterStates: states };
}

function statesOf(received: unknown, source: string): AfterState[] {
  const rows = parseAs(afterStates, received, source);
  const ids = new Set(rows.map(({ accountId }) => accountId));
  if (ids.size < rows.length) throw new WireError(source, "it has an account twice");
  return rows.map(({ accountId, isGlobal }, index) => {
    // As received: the schema would make a copy of every value.
    const { data } = (received as { data: AfterState["data"] }[])[index] ?? { data: {} };
    return { accountId, data, isGlobal: isGlobal ?? false };
  });
}
