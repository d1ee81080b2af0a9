import { z } from "zod";
import { isHex64 } from "../model/address.ts";

/** 64 lower-case hex digits. */
export const hex64 = z.custom<string>(isHex64, "expected 64 lower-case hex digits");
