/**
 * Keyed BLAKE2b with 32 bytes of output, computed by the WebAssembly binary of hash-wasm. The binary is read from the
 * installed package and compiled synchronously at load time: hash-wasm's own loader is asynchronous, and `require()`
 * cannot load a module that awaits.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { HashHex } from "../brands.ts";

const HASH_BITS = 256;
const HASH_BYTES = HASH_BITS / 8;
/** The size of the binary's input buffer. */
const BUFFER_BYTES = 16 * 1024;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** The address of the state's size. */
  readonly STATE_SIZE: number;
  Hash_GetBuffer(): number;
  Hash_GetState(): number;
  Hash_Init(bitsAndKeyBytes: number): void;
  Hash_Update(bytes: number): void;
  Hash_Final(): void;
}

const exports = instantiate();
const buffer = new Uint8Array(exports.memory.buffer, exports.Hash_GetBuffer(), BUFFER_BYTES);
const stateBytes = new DataView(exports.memory.buffer).getUint32(exports.STATE_SIZE, true);
const loadedState = new Uint8Array(exports.memory.buffer, exports.Hash_GetState(), stateBytes);

/** Returns the state of a hash before any input. */
export function initialState(key: Uint8Array): Uint8Array {
  buffer.set(key);
  exports.Hash_Init(HASH_BITS | (key.length << 16));
  return save();
}

/** Returns the state of the loaded hash. */
export function save(): Uint8Array {
  return Uint8Array.from(loadedState);
}

/** Loads a saved hash. */
export function load(state: Uint8Array): void {
  if (state.length !== stateBytes)
    throw new RangeError(`a hash state has ${stateBytes} bytes, not ${state.length}`);
  loadedState.set(state);
}

/** Adds bytes to the loaded hash. */
export function update(bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += BUFFER_BYTES) {
    const piece = bytes.subarray(start, start + BUFFER_BYTES);
    buffer.set(piece);
    exports.Hash_Update(piece.length);
  }
}

/** Finishes the loaded hash and returns it as hex. The hash cannot be used afterwards. */
export function digest(): HashHex {
  exports.Hash_Final();
  return Buffer.from(buffer.subarray(0, HASH_BYTES)).toString("hex") as HashHex;
}

function instantiate(): Exports {
  const path = createRequire(import.meta.url).resolve("hash-wasm/dist/blake2b.umd.min.js");
  const [, base64] = /\bname:"blake2b",data:"([A-Za-z0-9+/=]+)"/.exec(readFileSync(path, "utf8")) ?? [];
  if (base64 === undefined)
    throw new Error(`${path} does not contain BLAKE2b: install the locked version of hash-wasm`);
  const module = new WebAssembly.Module(Buffer.from(base64, "base64"));
  // A module states neither the names of its exports nor the types of their parameters: hash-wasm, at its locked
  // version, determines these.
  return new WebAssembly.Instance(module).exports as unknown as Exports;
}
