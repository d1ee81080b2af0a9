/** Keys for which signatures can be forged; the curve's arithmetic shows that the list of them is complete. */

import { createHash, createPrivateKey, createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { asPublicKey } from "../../../src/protocol/brands.ts";
import { hasSmallOrder, isCanonical } from "../../../src/protocol/crypto/ed25519-encodings.ts";
import {
  isSignedBy,
  ownerOf,
  type Sign,
  signatureHolds,
  signatureHoldsAsync,
  signed,
  signedHash,
} from "../../../src/protocol/crypto/signature.ts";

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (value: bigint) => ((value % p) + p) % p;
const power = (base: bigint, exponent: bigint): bigint =>
  exponent === 0n ? 1n : mod(power(mod(base * base), exponent / 2n) * (exponent % 2n === 1n ? base : 1n));
const inverse = (value: bigint) => power(value, p - 2n);
const d = mod(-121665n * inverse(121666n));

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}
const identity: Point = { x: 0n, y: 1n };

/** -x² + y² = 1 + d x² y² */
function isOnCurve({ x, y }: Point): boolean {
  return mod(y * y - x * x - 1n - d * x * x * y * y) === 0n;
}

function add(a: Point, b: Point): Point {
  const product = d * a.x * b.x * a.y * b.y;
  return {
    x: mod((a.x * b.y + a.y * b.x) * inverse(mod(1n + product))),
    y: mod((a.y * b.y + a.x * b.x) * inverse(mod(1n - product))),
  };
}

function times(factor: bigint, point: Point): Point {
  let sum = identity;
  for (let bits = factor, double = point; bits > 0n; bits >>= 1n, double = add(double, double)) {
    if (bits & 1n) sum = add(sum, double);
  }
  return sum;
}

/** The points with the given y: none, one, or two. */
function pointsAt(y: bigint): Point[] {
  const square = mod((y * y - 1n) * inverse(mod(d * y * y + 1n)));
  const root = power(square, (p + 3n) / 8n);
  const roots = [root, mod(root * power(2n, (p - 1n) / 4n))].flatMap((x) => [x, mod(-x)]);
  return [...new Set(roots)].map((x) => ({ x, y: mod(y) })).filter(isOnCurve);
}

const bytesOf = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
const numberOf = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

function encoded(y: bigint, sign: bigint): Buffer {
  return bytesOf(y + (sign << 255n));
}

const encodingOf = ({ x, y }: Point) => encoded(y, x & 1n);

/** A generator of the points of small order: a point of order 8, derived from any point of the curve. */
const torsion = (() => {
  for (let y = 2n; ; y++) {
    const [point] = pointsAt(y);
    if (point === undefined) continue;
    const multiple = times(order, point);
    if (times(4n, multiple).y !== 1n) return multiple;
  }
})();
const smallOrderPoints = Array.from({ length: 8 }, (_, factor) => times(BigInt(factor), torsion));

/** All encodings that OpenSSL may accept as a point of small order: y or y + p, with either sign. */
const smallOrderEncodings = smallOrderPoints
  .flatMap(({ y }) => [y, y + p].filter((value) => value < 2n ** 255n))
  .flatMap((y) => [encoded(y, 0n), encoded(y, 1n)])
  .map((bytes) => bytes.toString("hex"));
const encodings = [...new Set(smallOrderEncodings)].sort().map((hex) => ({ hex }));

const basePoint = pointsAt(mod(4n * inverse(5n))).find(({ x }) => x % 2n === 0n) as Point;

const hashNumber = (...parts: Buffer[]) =>
  numberOf(createHash("sha512").update(Buffer.concat(parts)).digest()) % order;

function nodeVerifies(message: Buffer, owner: Buffer, signature: Buffer): boolean {
  const key = { kty: "OKP", crv: "Ed25519", x: owner.toString("base64url") };
  return verify(null, message, createPublicKey({ key, format: "jwk" }), signature);
}

/** Returns whether any of the functions that check a signature accepts it. */
async function isAccepted(object: { sign: Sign }): Promise<boolean> {
  const checks = [isSignedBy(object), signatureHolds(object.sign), await signatureHoldsAsync(object.sign)];
  return checks.includes(true);
}

/** A message with a valid signature for an owner of small order, made without a private key: R = sB, and h·A = 0. */
function forged(owner: Buffer): { sign: Sign } {
  const point = encodingOf(basePoint);
  const signature = Buffer.concat([point, bytesOf(1n)]);
  for (let cycle = 0; cycle < 200; cycle++) {
    const unsigned = { cycle, sender: "forger" };
    const message = Buffer.from(signedHash(unsigned), "hex");
    if (!nodeVerifies(message, owner, signature)) continue;
    const sig = Buffer.concat([signature, message]).toString("hex");
    return { ...unsigned, sign: { owner: asPublicKey(owner.toString("hex")), sig } };
  }
  throw new Error("Node accepts none of the forged signatures");
}

describe("the points of small order", () => {
  it("number eight, with fourteen encodings", () => {
    expect(new Set(smallOrderPoints.map((point) => encodingOf(point).toString("hex"))).size).toBe(8);
    expect(encodings).toHaveLength(14);
  });

  it.each(encodings)("have the encoding $hex, for which a forged signature is rejected", async ({ hex }) => {
    const owner = Buffer.from(hex, "hex");
    expect(hasSmallOrder(owner)).toBe(true);
    expect(await isAccepted(forged(owner))).toBe(false);
  });
});

describe("an encoding", () => {
  it("is canonical if and only if its y is below p", () => {
    for (let y = p - 40n; y < 2n ** 255n; y++) {
      for (const sign of [0n, 1n]) expect(isCanonical(encoded(y, sign)), `${y}`).toBe(y < p);
    }
    expect(isCanonical(bytesOf(0n))).toBe(true);
    expect(isCanonical(bytesOf(2n ** 255n - 1n - 2n ** 100n))).toBe(true);
  });

  it("of an ordinary key is canonical and not of small order", () => {
    const owner = encodingOf(basePoint);
    expect(isCanonical(owner)).toBe(true);
    expect(hasSmallOrder(owner)).toBe(false);
  });
});

describe("a signature made with the private key", () => {
  const seed = Buffer.alloc(32, 7);
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const owner = Buffer.from(ownerOf(privateKey), "hex");

  it("is valid whatever the case of its digits", () => {
    const { sign, ...unsigned } = signed({ cycle: 1 }, privateKey);
    const upper = { owner: sign.owner.toUpperCase(), sig: sign.sig.toUpperCase() };
    expect(isSignedBy({ ...unsigned, sign })).toBe(true);
    expect(isSignedBy({ ...unsigned, sign: upper })).toBe(true);
  });

  it.each(smallOrderPoints.map((point, number) => ({ number, point })))(
    "is invalid with point $number of small order as its R",
    async ({ point }) => {
      const r = encodingOf(point);
      const secret = createHash("sha512").update(seed).digest().subarray(0, 32);
      secret[0] = (secret[0] as number) & 248;
      secret[31] = ((secret[31] as number) & 127) | 64;
      const unsigned = { cycle: 1 };
      const message = Buffer.from(signedHash(unsigned), "hex");
      const s = (hashNumber(r, owner, message) * numberOf(secret)) % order;
      const signature = Buffer.concat([r, bytesOf(s)]);
      // Without cofactors, only the identity satisfies the equation sB = R + hA for this s.
      expect(nodeVerifies(message, owner, signature)).toBe(point.x === 0n && point.y === 1n);
      const sig = Buffer.concat([signature, message]).toString("hex");
      const object = { ...unsigned, sign: { owner: asPublicKey(owner.toString("hex")), sig } };
      expect(await isAccepted(object)).toBe(false);
    },
  );

  it.each(["bi", "bb", "u8ab"])("is invalid for a message that is a typed value, %s", (dataType) => {
    const message = { dataType, value: "10", cycle: 1 };
    expect(isSignedBy(signed(message, privateKey))).toBe(false);
  });
});
