/** Bounds on the shape of JSON from outside: depth, number of values, and values that are converted to text. */

import { KiB } from "./units.ts";

/** Depth of nested objects and lists. Account data is a few levels deep. The traversal is recursive, and must end with
 *  an error long before the stack overflows. */
export const depthMax = 500;

/** Hexadecimal digits of a big integer. Those of the EVM have at most 64. */
export const bigIntegerDigitsMax = 16 * KiB;

/** Hexadecimal digits of a big integer in place of digits or of a byte: the network's code reads its decimal
 *  digits there. The conversion takes quadratic time, and each level of nesting lengthens the number. */
export const nestedBigIntegerDigitsMax = 256;

/** Bytes in place of digits or of a byte: the network's code converts them to text. */
export const nestedBytesMax = 16 * KiB;

/** Depth of nested lists in place of digits or of a byte: each level copies its text. */
export const nestedListsMax = 16;

/** Values in one JSON text from outside, such as an account or a vote: some 100 MB once parsed. The largest honest
 *  message has three hashes for each of 50,000 partitions. */
export const jsonValuesMax = 500_000;

/** Values in one account. The code of a contract may be a list of some 100,000 numbers. */
export const accountValuesMax = 125_000;
