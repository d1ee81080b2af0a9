/** The user and password of an address, as the header that carries them (RFC 7617). */

export interface Target {
  /** Without user and password. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Splits an address: undici drops its user and password without an error. */
export function targetOf(address: string): Target {
  // Most addresses have no user, and parsing a URL is slow.
  if (!address.includes("@") || !URL.canParse(address)) return { url: address, headers: {} };
  const url = new URL(address);
  const { username, password } = url;
  if (username === "" && password === "") return { url: address, headers: {} };
  url.username = "";
  url.password = "";
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");
  return { url: url.href, headers: { authorization: `Basic ${credentials}` } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign that starts no escape
  }
}
