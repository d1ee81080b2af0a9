/** Content negotiation (RFC 9110, Accept-Encoding), between gzip and no encoding. */

/** Returns whether a client prefers a compressed answer. */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map((header ?? "").split(",").map(weightOf));
  const gzip = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  // Who names only gzip also takes an answer without an encoding, but asks for the other.
  return gzip > (weights.get("identity") ?? 0);
}

function weightOf(item: string): readonly [string, number] {
  const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  const value = weight === undefined ? 1 : Number(weight.slice(2));
  return [name, value >= 0 && value <= 1 ? value : 0];
}
