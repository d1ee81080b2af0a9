/** The schema of hashes, IDs and keys. */

import { isHex64 } from "../protocol/address.ts";
import * as z from "./schema.ts";

/** 64 lower-case hex digits. */
export const hex64 = z.custom<string>(isHex64, "expected 64 lower-case hex digits");
