/**
 * The network's hash (PROTOCOL.md, Hashing and signing): BLAKE2b, 32 bytes, keyed, as lower-case hex.
 *
 * hash-wasm compiles its module asynchronously, while whoever hashes wants to do so at once, with any
 * key, and many hashes side by side. So one instance is made when this module loads, and each running
 * hash owns a state that is swapped in (`save` and `load` of some 240 bytes) whenever another hash ran
 * in between. A keyed BLAKE2b that has seen nothing yet holds its key, padded, in its block buffer: the
 * state for another key is that state with the key's bytes replaced.
 */

// This hash alone: all that the package has takes a tenth of a small run to load.
import hashWasm from "hash-wasm/dist/blake2b.umd.min.js";
import { DEFAULT_HASH_KEY } from "./hash-key.ts";

export { DEFAULT_HASH_KEY };

const HASH_BITS = 256;
const KEY_BYTES = 32;

const engine = await hashWasm.createBLAKE2b(HASH_BITS, Buffer.from(DEFAULT_HASH_KEY, "hex"));
const defaultState = engine.init().save();
const keyOffset = Buffer.from(defaultState).indexOf(Buffer.from(DEFAULT_HASH_KEY, "hex"));
if (keyOffset < 0) throw new Error("hash-wasm keeps its BLAKE2b key in another form than expected");

let loaded: RunningHash | undefined;

/** A hash over bytes that come piece by piece. */
export class RunningHash {
  #state: Uint8Array;

  /** @param hashKey 64 hex digits */
  constructor(hashKey: string = DEFAULT_HASH_KEY) {
    this.#state = initialState(hashKey);
  }

  /** A hash that goes on from the {@link state} of another one, of another thread perhaps. */
  static from(state: Uint8Array): RunningHash {
    const hash = new RunningHash();
    hash.#state = state;
    return hash;
  }

  /** What it has come to so far. */
  get state(): Uint8Array {
    if (loaded === this) this.#state = engine.save();
    return this.#state;
  }

  update(bytes: Uint8Array): this {
    this.#load();
    engine.update(bytes);
    return this;
  }

  /** A hash that goes on from here by itself, while this one goes on as well. */
  copy(): RunningHash {
    return RunningHash.from(this.state);
  }

  /** The hash of all bytes so far, 64 hex digits. The hash is used up by it. */
  digest(): string {
    this.#load();
    loaded = undefined;
    return engine.digest("hex");
  }

  #load(): void {
    if (loaded === this) return;
    if (loaded !== undefined) loaded.#state = engine.save();
    engine.load(this.#state);
    loaded = this;
  }
}

/** The keyed hash of a text (as UTF-8) or of bytes: 64 hex digits. */
export function hashText(text: string | Uint8Array, hashKey: string = DEFAULT_HASH_KEY): string {
  return new RunningHash(hashKey).update(typeof text === "string" ? Buffer.from(text) : text).digest();
}

const states = new Map([[DEFAULT_HASH_KEY, defaultState]]);

function initialState(hashKey: string): Uint8Array {
  const known = states.get(hashKey);
  if (known !== undefined) return known;
  const key = Buffer.from(hashKey, "hex");
  if (key.length !== KEY_BYTES || key.toString("hex") !== hashKey.toLowerCase()) {
    throw new RangeError(`a hash key has ${KEY_BYTES * 2} hex digits, not "${hashKey}"`);
  }
  const state = Uint8Array.from(defaultState);
  state.set(key, keyOffset);
  states.set(hashKey, state);
  return state;
}
