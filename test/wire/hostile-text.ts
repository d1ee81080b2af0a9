/** Text that no message may contain unchanged: it is too long, and has control characters for terminals. */

export const hostileText = `\u001b[2J\u0007\r\n\u009b31m${"evil ".repeat(10_000)}`;

/** Describes why a message cannot be shown to a person; `undefined` if it can. */
export function faultOfMessage(message: string): string | undefined {
  if (message.length > 400) return `it has ${message.length} characters`;
  const control = /\p{Cc}/u.exec(message);
  return control === null ? undefined : `it has the control character ${control[0].charCodeAt(0)}`;
}
