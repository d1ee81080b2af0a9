/** The data of an account as text of a response. */

import { CanonicalTextError, canonicalTextOf } from "../../protocol/crypto/canonical-text.ts";
import { type DataForm, dataForms } from "./index-format.ts";

export interface DataText {
  readonly form: DataForm;
  readonly text: string;
}

/** Returns how the data of a copy is sent, and the text that is sent. */
export function dataTextOf(data: string): DataText {
  const canonical = canonicalOf(data);
  if (canonical === undefined) return { form: dataForms.text, text: JSON.stringify(data) };
  return { form: canonical === data ? dataForms.canonical : dataForms.json, text: canonical };
}

/** Returns the text that is sent, if its form is known. */
export function dataTextIn(form: DataForm, data: string): string {
  return form === dataForms.canonical ? data : dataTextOf(data).text;
}

/** Returns `undefined` for a text that is not JSON, or of which the network's code makes no value. */
function canonicalOf(data: string): string | undefined {
  try {
    return canonicalTextOf(JSON.parse(data));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof CanonicalTextError) return undefined;
    throw error;
  }
}
