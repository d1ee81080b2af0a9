/**
 * The network's hash (PROTOCOL.md, Hashing and signing): BLAKE2b, 32 bytes, keyed, as lower-case hex.
 *
 * One engine computes many hashes concurrently, with any keys. Each running hash owns a state of about 240 bytes, which
 * is loaded into the engine after another hash has used it.
 */

import type { HashHex } from "../brands.ts";
import * as engine from "./blake2b.ts";
import { DEFAULT_HASH_KEY } from "./hash-key.ts";

export { DEFAULT_HASH_KEY };

const KEY_BYTES = 32;

let loaded: RunningHash | undefined;

/** An incremental hash. */
export class RunningHash {
  #state: Uint8Array;

  /** @param hashKey 64 hex digits */
  constructor(hashKey: string = DEFAULT_HASH_KEY) {
    this.#state = initialState(hashKey);
  }

  /** Returns a hash that continues from the {@link state} of another one, which may be on another thread. */
  static from(state: Uint8Array): RunningHash {
    const hash = new RunningHash();
    hash.#state = state;
    return hash;
  }

  /** The state after all bytes so far. */
  get state(): Uint8Array {
    if (loaded === this) this.#state = engine.save();
    return this.#state;
  }

  update(bytes: Uint8Array): this {
    this.#load();
    engine.update(bytes);
    return this;
  }

  /** Returns an independent copy. */
  copy(): RunningHash {
    return RunningHash.from(this.state);
  }

  /** Returns the hash of all bytes so far, 64 hex digits. The object cannot be used afterwards. */
  digest(): HashHex {
    this.#load();
    loaded = undefined;
    return engine.digest();
  }

  #load(): void {
    if (loaded === this) return;
    if (loaded !== undefined) loaded.#state = engine.save();
    engine.load(this.#state);
    loaded = this;
  }
}

/** Returns the keyed hash of a text (as UTF-8) or of bytes: 64 hex digits. */
export function hashText(text: string | Uint8Array, hashKey: string = DEFAULT_HASH_KEY): HashHex {
  return new RunningHash(hashKey).update(typeof text === "string" ? Buffer.from(text) : text).digest();
}

const states = new Map<string, Uint8Array>();

function initialState(hashKey: string): Uint8Array {
  const known = states.get(hashKey);
  if (known !== undefined) return known;
  const key = Buffer.from(hashKey, "hex");
  if (key.length !== KEY_BYTES || key.toString("hex") !== hashKey.toLowerCase()) {
    throw new RangeError(`a hash key has ${KEY_BYTES * 2} hex digits, not "${hashKey}"`);
  }
  // The engine's state is about to be overwritten, so the loaded hash saves its own.
  void loaded?.state;
  loaded = undefined;
  const state = engine.initialState(key);
  states.set(hashKey, state);
  return state;
}
