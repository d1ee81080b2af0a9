/** A part of hash-wasm, as it is published beside the whole. */
declare module "hash-wasm/dist/blake2b.umd.min.js" {
  const hashWasm: Pick<typeof import("hash-wasm"), "createBLAKE2b">;
  export = hashWasm;
}
