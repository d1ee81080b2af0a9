/** Bounds on outside text in messages. */

/** Characters of one quotation of outside text. */
export const quotedCharactersMax = 120;

/** Characters of one message: a path, a hash or two, and several quotations. */
export const lineCharactersMax = 8_192;
