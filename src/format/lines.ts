/** Splits a file that is read in chunks into lines, under a bound on the length of a line. */

export interface Line {
  /** The first is 1. */
  readonly number: number;
  /** Without the line end; `undefined` if the line exceeds the bound. */
  readonly bytes: Buffer | undefined;
}

const NEWLINE = 0x0a;

export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<Line, void, void> {
  let number = 1;
  let pieces: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer) => {
    length += piece.length;
    // A line that exceeds the bound is not kept in memory.
    if (length > bytesMax) pieces = [];
    else pieces.push(Buffer.from(piece));
  };
  const end = (): Line => {
    const line = { number: number++, bytes: length > bytesMax ? undefined : Buffer.concat(pieces) };
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, at));
      start = at + 1;
      yield end();
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (length > 0) yield end();
}
