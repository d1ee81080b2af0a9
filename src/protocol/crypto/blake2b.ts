/**
 * BLAKE2b with 32 bytes of output and a key, as hash-wasm's WebAssembly computes it, and without the wait for its
 * asynchronous loader: this package can be loaded with `require()`, which cannot wait for a module. The binary is
 * taken from hash-wasm as it is installed, once, at load time.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const HASH_BITS = 256;
const HASH_BYTES = HASH_BITS / 8;
/** What hash-wasm's binary takes at a time. */
const BUFFER_BYTES = 16 * 1024;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** The address of a number: the size of the state. */
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
const running = new Uint8Array(exports.memory.buffer, exports.Hash_GetState(), stateBytes);

/** The state of a hash that has seen nothing yet. */
export function initialState(key: Uint8Array): Uint8Array {
  buffer.set(key);
  exports.Hash_Init(HASH_BITS | (key.length << 16));
  return save();
}

/** The state of the hash that is loaded. */
export function save(): Uint8Array {
  return Uint8Array.from(running);
}

/** Goes on with a hash that was saved. */
export function load(state: Uint8Array): void {
  if (state.length !== stateBytes)
    throw new RangeError(`a hash state has ${stateBytes} bytes, not ${state.length}`);
  running.set(state);
}

/** Adds bytes to the hash that is loaded. */
export function update(bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += BUFFER_BYTES) {
    const piece = bytes.subarray(start, start + BUFFER_BYTES);
    buffer.set(piece);
    exports.Hash_Update(piece.length);
  }
}

/** The hash that is loaded, as hex. It is used up. */
export function digest(): string {
  exports.Hash_Final();
  return Buffer.from(buffer.subarray(0, HASH_BYTES)).toString("hex");
}

function instantiate(): Exports {
  const path = createRequire(import.meta.url).resolve("hash-wasm/dist/blake2b.umd.min.js");
  const [, base64] = /\bname:"blake2b",data:"([A-Za-z0-9+/=]+)"/.exec(readFileSync(path, "utf8")) ?? [];
  if (base64 === undefined)
    throw new Error(`${path} holds no BLAKE2b: install the version of hash-wasm that is locked`);
  const module = new WebAssembly.Module(Buffer.from(base64, "base64"));
  return new WebAssembly.Instance(module).exports as unknown as Exports;
}
