/** The text of a signed response, from the canonical texts of its fields: none of them is parsed or written again. */

import { hashText } from "../../protocol/crypto/hash.ts";
import type { SigningKey } from "../signing-key.ts";

export interface Signer {
  readonly key: SigningKey;
  readonly hashKey: string;
}

/** A name, and the canonical text of its value. */
export type Field = readonly [name: string, text: string];

/** Returns the canonical text of an object with these fields. */
export function objectText(fields: readonly Field[]): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

/** Returns the canonical text of an object with these fields and the `sign` over them. */
export function signedText(fields: readonly Field[], { key, hashKey }: Signer): string {
  const { owner, sig } = key.signHash(hashText(objectText(fields), hashKey));
  return objectText([...fields, ["sign", `{"owner":"${owner}","sig":"${sig}"}`]]);
}

/** Returns the text of a refusal. It is not signed, and has status 200. */
export function refusalText(error: string): string {
  return objectText([
    ["error", JSON.stringify(error)],
    ["success", "false"],
  ]);
}
