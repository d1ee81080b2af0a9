/** Copies one record, an account as validators send it (PROTOCOL.md, Partial snapshots). */

import { at, copyBlocks, out, put, readFrom, skipSpace, writeFrom } from "./memory";
import { clearEntries } from "./objects";
import { copyKey, copyString } from "./strings";
import { isHex64 } from "./typed-values";
import { copyInteger, copyValue } from "./values";

/** The offsets of the account ID and of the data in a copy, which are the same in all copies. */
export const ID_OFFSET: i32 = 14;
const DATA_OFFSET: i32 = 87;

/** A bit for each known field. A record with a duplicate field is left to the parser, for which the last one counts. */
const ACCOUNT_ID: i32 = 1;
const STATE_ID: i32 = 2;
const DATA: i32 = 4;
const TIMESTAMP: i32 = 8;
const REQUIRED: i32 = ACCOUNT_ID | STATE_ID | DATA | TIMESTAMP;
const SYNC_DATA: i32 = 16;
const IS_GLOBAL: i32 = 32;
let seenFields: i32 = 0;

/** Whether the account of the last record is global. */
export let isGlobal: bool = false;

/** The positions in the input of the fields that are before and after the data in the copy. */
let idAt: i32 = 0;
let stateIdAt: i32 = 0;
let stateIdBytes: i32 = 0;
let timestampAt: i32 = 0;
let timestampBytes: i32 = 0;

/** Copies the record that begins here. Returns false if it is rejected, or continues after the end of the input. */
export function copyRecord(): bool {
  const copy = out;
  seenFields = 0;
  isGlobal = false;
  clearEntries();
  writeFrom(copy + DATA_OFFSET);
  if (!readFields(false)) return false;
  if ((seenFields & REQUIRED) !== REQUIRED) {
    readFrom(at - 1);
    return false;
  }
  writeAround(copy);
  return true;
}

/** Reads an object: the record or its `syncData`. Only the data is written to the output. */
function readFields(isSyncData: bool): bool {
  readFrom(at + 1);
  skipSpace();
  if (load<u8>(at) === 0x7d) {
    readFrom(at + 1);
    return true;
  }
  for (;;) {
    if (load<u8>(at) !== 0x22) return false;
    const keyAt = at + 1;
    const output = out;
    readFrom(keyAt);
    if (!copyKey()) return false;
    const field = isSyncData ? syncFieldOf(keyAt, at - 1 - keyAt) : fieldOf(keyAt, at - 1 - keyAt);
    if ((seenFields & field) !== 0) return false;
    seenFields |= field;
    skipSpace();
    if (load<u8>(at) !== 0x3a) return false;
    readFrom(at + 1);
    skipSpace();
    writeFrom(output);
    if (!readField(field)) return false;
    if (field !== DATA) writeFrom(output);
    skipSpace();
    const byte: i32 = load<u8>(at);
    if (byte !== 0x7d && byte !== 0x2c) return false;
    readFrom(at + 1);
    if (byte === 0x7d) break;
    skipSpace();
  }
  return true;
}

function readField(field: i32): bool {
  const from = at;
  const isText = load<u8>(from) === 0x22;
  switch (field) {
    case ACCOUNT_ID:
      if (!isText) return false;
      readFrom(from + 1);
      if (!copyKey() || at !== from + 66 || !isHex64(from + 1)) return false;
      idAt = from + 1;
      return true;
    case STATE_ID:
      if (!isText) return false;
      readFrom(from + 1);
      if (!copyKey()) return false;
      stateIdAt = from + 1;
      stateIdBytes = at - from - 2;
      return true;
    case DATA:
      return copyData(isText);
    case TIMESTAMP:
      if (!copyInteger()) return false;
      timestampAt = from;
      timestampBytes = at - from;
      return true;
    case SYNC_DATA:
      return load<u8>(from) === 0x7b ? readFields(true) : isNull() && copyValue(0);
    case IS_GLOBAL:
      isGlobal = load<u8>(from) === 0x74;
      return (isGlobal || load<u8>(from) === 0x66 || isNull()) && copyValue(0);
    default:
      return copyValue(0);
  }
}

/** Copies data that is a string unchanged, and any other data as its canonical text. */
function copyData(isText: bool): bool {
  put(0x22);
  if (isText) {
    readFrom(at + 1);
    if (!copyString(false)) return false;
  } else if (!copyValue(0)) return false;
  put(0x22);
  return true;
}

function isNull(): bool {
  return load<u8>(at) === 0x6e;
}

function fieldOf(key: i32, bytes: i32): i32 {
  switch (bytes) {
    case 4:
      return load<u32>(key) === 0x61746164 ? DATA : 0;
    case 7:
      return load<u32>(key) === 0x74617473 && load<u32>(key + 3) === 0x64496574 ? STATE_ID : 0;
    case 8:
      return load<u64>(key) === 0x61746144636e7973 ? SYNC_DATA : 0;
    case 9:
      if (load<u64>(key) === 0x49746e756f636361 && load<u8>(key + 8) === 0x64) return ACCOUNT_ID;
      return load<u64>(key) === 0x6d617473656d6974 && load<u8>(key + 8) === 0x70 ? TIMESTAMP : 0;
    default:
      return 0;
  }
}

function syncFieldOf(key: i32, bytes: i32): i32 {
  return bytes === 8 && load<u64>(key) === 0x6c61626f6c477369 ? IS_GLOBAL : 0;
}

/** Writes the fields before and after the data, which is already in the output. */
function writeAround(copy: i32): void {
  store<u64>(copy, 0x6e756f636361227b); // {"accountId":"
  store<u32>(copy, 0x22644974, 8);
  store<u16>(copy, 0x223a, 12);
  copyBlocks(copy + ID_OFFSET, idAt, 64);
  store<u64>(copy, 0x2261746164222c22, ID_OFFSET + 64); // ","data":
  store<u8>(copy, 0x3a, ID_OFFSET + 72);

  let to = out;
  store<u64>(to, 0x3a2268736168222c); // ,"hash":"
  store<u8>(to, 0x22, 8);
  copyBlocks(to + 9, stateIdAt, stateIdBytes);
  to += 9 + stateIdBytes;
  store<u64>(to, 0x6f6c477369222c22); // ","isGlobal":
  store<u32>(to, 0x226c6162, 8);
  store<u8>(to, 0x3a, 12);
  store<u8>(to, isGlobal ? 0x31 : 0x30, 13);
  store<u64>(to, 0x7473656d6974222c, 14); // ,"timestamp":
  store<u32>(to, 0x22706d61, 22);
  store<u8>(to, 0x3a, 26);
  copyBlocks(to + 27, timestampAt, timestampBytes);
  to += 27 + timestampBytes;
  store<u8>(to, 0x7d);
  writeFrom(to + 1);
}
