/** Bytes in chunks, as a socket delivers them. */

/** Cuts at the given places; those beyond the end do not count. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const inside = [...new Set(places)]
    .filter((place) => place > 0 && place < bytes.length)
    .sort((a, b) => a - b);
  return [...inside, bytes.length].map((end, index) =>
    bytes.subarray(index === 0 ? 0 : inside[index - 1], end),
  );
}

export function pieces(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += size)
    chunks.push(bytes.subarray(offset, offset + size));
  return chunks;
}

/** The chunks one after the other, each in memory that is overwritten before the next; then an error, if any. */
export async function* streamOf(chunks: Iterable<Buffer>, error?: Error): AsyncGenerator<Buffer, void, void> {
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    yield reused;
    await Promise.resolve();
    reused.fill("!");
  }
  if (error !== undefined) throw error;
}
