/** Text that must not get into a message as it is: far too long, and full of what a terminal would obey. */

export const hostileText = `\u001b[2J\u0007\r\n\u009b31m${"evil ".repeat(10_000)}`;

/** What is wrong with a message for people, or nothing. */
export function faultOfMessage(message: string): string | undefined {
  if (message.length > 400) return `it has ${message.length} characters`;
  const control = /\p{Cc}/u.exec(message);
  return control === null ? undefined : `it has the control character ${control[0].charCodeAt(0)}`;
}
