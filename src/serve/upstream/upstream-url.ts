/** The URLs of the archiver behind the server. */

/** Returns the URL of a path below that of the archiver. */
export function urlAt(upstream: string, path: string): string {
  return new URL(path, upstream.endsWith("/") ? upstream : `${upstream}/`).href;
}
