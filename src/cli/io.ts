/** What a command needs of the world around it, so that it also runs without one. */

export interface Io {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first signal that asks us to end. */
  readonly signal: AbortSignal;
}
