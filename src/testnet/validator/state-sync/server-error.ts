/** What a server of snapshots did wrong, from the view of who starts from one of its snapshots. */

export type ServerErrorKind =
  /** It does not respond, breaks off, is too slow, or refuses: it may be right at the next attempt. */
  | "failed"
  /** Its answer contradicts what the validators agreed on. It is never asked again. */
  | "false";

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code = "snapshot-server";
  readonly kind: ServerErrorKind;

  constructor(kind: ServerErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
