/**
 * Canonical text the way the network comes to it, and unlike ours: typed values become big integers and
 * byte arrays while the text is parsed, and text again while they are written.
 */

export function revivedText(wireJson: string): string {
  return written(JSON.parse(wireJson, revive));
}

const forbidden = ["__proto__", "constructor", "prototype"];

function revive(this: unknown, key: string, value: unknown): unknown {
  if (forbidden.includes(key)) return undefined;
  if (key === "sig" || typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { dataType, value: inner } = value as { dataType?: unknown; value?: unknown };
  if (dataType === "bi") return BigInt(`0x${String(inner)}`);
  if (typeof inner !== "string") return value;
  if (dataType === "bb") return Buffer.from(inner, "base64");
  return dataType === "u8ab" ? Uint8Array.from(Buffer.from(inner, "base64")) : value;
}

function written(value: unknown): string {
  if (typeof value === "bigint") return JSON.stringify({ dataType: "bi", value: value.toString(16) });
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "null";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (Buffer.isBuffer(value)) return bytesText(value, "bb");
  if (value instanceof Uint8Array) return bytesText(value, "u8ab");
  const keys = Object.keys(value).sort();
  const { type, data } = value as { type?: unknown; data?: Uint8Array };
  if (keys.join() === "data,type" && type === "Buffer") return bytesText(Buffer.from(data ?? []), "bb");
  const fields = keys.map(
    (key) => `${JSON.stringify(key)}:${written((value as Record<string, unknown>)[key])}`,
  );
  return `{${fields.join(",")}}`;
}

function bytesText(bytes: Uint8Array, dataType: string): string {
  return JSON.stringify({ value: Buffer.from(bytes).toString("base64"), dataType });
}
