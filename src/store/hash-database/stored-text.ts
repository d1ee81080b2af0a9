/**
 * Text from a database that somebody else may have written. The binding ends the process where it is given text
 * that is not UTF-8, and reads whatever length it has: so text is read as bytes, up to a bound, and decoded here.
 */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The SQL of a text column for {@link decodeStored}: NULL where it is no text, or has more bytes than that. */
export function storedText(column: string, bytesMax: number): string {
  const isRead = `typeof(${column}) = 'text' AND octet_length(${column}) <= ${bytesMax}`;
  return `CASE WHEN ${isRead} THEN CAST(${column} AS BLOB) END AS ${column}`;
}

/** `undefined` where it is no text, too long, or not UTF-8. */
export function decodeStored(bytes: unknown): string | undefined {
  if (!(bytes instanceof ArrayBuffer) && !(bytes instanceof Uint8Array)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
