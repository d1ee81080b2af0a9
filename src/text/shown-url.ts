/** Addresses that a user gives may hold passwords: what of them is shown, logged and stored. */

const scheme = /^[a-z][a-z0-9+.-]*:\/\//i;

/** A URL without its user, password, query and fragment; anything else, such as the path of a file, as it is. */
export function shownUrl(source: string): string {
  const [begin] = scheme.exec(source) ?? [];
  if (begin === undefined) return source;
  if (!URL.canParse(source)) return `${begin}***`;
  const { protocol, username, password, host, pathname, search, hash } = new URL(source);
  const user = username !== "" || password !== "" ? "***@" : "";
  const path = pathname === "/" && !source.endsWith("/") ? "" : pathname;
  return `${protocol}//${user}${host}${path}${search === "" ? "" : "?***"}${hash === "" ? "" : "#***"}`;
}

/** A sentence that may repeat a URL as it was given: nothing is left of it, nor of what follows it. */
export function withoutUrls(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/).*$/is, "$1***");
}
