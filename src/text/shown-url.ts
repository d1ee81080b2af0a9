/** Removes passwords from URLs before they are shown, logged or stored. */

const scheme = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Returns a URL without its user, password, query and fragment. Other texts, such as paths, are unchanged. */
export function shownUrl(source: string): string {
  const [begin] = scheme.exec(source) ?? [];
  if (begin === undefined) return source;
  if (!URL.canParse(source)) return `${begin}***`;
  const { protocol, username, password, host, pathname, search, hash } = new URL(source);
  const user = username !== "" || password !== "" ? "***@" : "";
  const path = pathname === "/" && !source.endsWith("/") ? "" : pathname;
  return `${protocol}//${user}${host}${path}${search === "" ? "" : "?***"}${hash === "" ? "" : "#***"}`;
}

/** Removes a URL from a sentence, and everything after it. */
export function withoutUrls(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/).*$/is, "$1***");
}
