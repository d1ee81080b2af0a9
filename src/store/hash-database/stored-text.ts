/**
 * Reads text from an untrusted database. The SQLite binding terminates the process on text that is not UTF-8, and reads
 * text of any length, so text is read as bytes up to a bound, and decoded here.
 */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the SQL of a text column for {@link decodeStored}: NULL if it is not text, or exceeds the bound. */
export function storedText(column: string, bytesMax: number): string {
  const isRead = `typeof(${column}) = 'text' AND octet_length(${column}) <= ${bytesMax}`;
  return `CASE WHEN ${isRead} THEN CAST(${column} AS BLOB) END AS ${column}`;
}

/** Returns `undefined` for a column that is not text, is too long, or is not UTF-8. */
export function decodeStored(bytes: unknown): string | undefined {
  if (!(bytes instanceof ArrayBuffer) && !(bytes instanceof Uint8Array)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
