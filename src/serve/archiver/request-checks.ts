/**
 * The checks of a request to the restore routes, in the order of the published archiver and with its texts (archiver 3.7.7,
 * `src/Data/AccountDataProvider.ts`, `src/Utils.ts` and `src/API.ts`): clients compare the texts.
 */

import { restorePageAccountsMax } from "../../limits/serve-archiver.ts";
import { isHex64 } from "../../protocol/address.ts";
import { signerOf } from "../../protocol/crypto/signature.ts";
import { revive } from "../../protocol/crypto/typed-values.ts";

/** A request that passed. */
export interface AccountDataRequest {
  /** The public key of the node. */
  readonly owner: string;
  readonly accountStart: string;
  readonly accountEnd: string;
  /** Milliseconds. */
  readonly tsStart: number;
  readonly maxRecords: number;
  readonly offset: number;
  /** 64 hex digits, or "". */
  readonly accountOffset: string;
}

export interface AccountListRequest {
  readonly owner: string;
  readonly accountIds: readonly string[];
}

/** What the checks ask about the network and the other requests. */
export interface RequestContext {
  readonly hashKey: string;
  readonly nowMs: number;
  /** Returns whether the network is in the mode restore. */
  isRestoring(): boolean;
  /** Returns whether a node with this key is syncing or active. */
  isNode(publicKey: string): boolean;
  /** Returns whether fewer other nodes are being served than may be. */
  hasPlaceFor(publicKey: string): boolean;
}

/** A text is the error of a request that fails a check. */
export type Checked<T> = T | string;

export const errors = {
  mode: "Account data can only be requested in restore mode!",
  listMode: "Account data by list can only be requested in restore mode!",
  sign: "Invalid sign object attached",
  node: "This node is not found in the nodelist!",
  busy: "Archiver is busy serving other validators at the moment!",
  range: "Invalid account range",
  start: "Invalid start timestamp",
  records: "Invalid max records",
  offset: "Invalid offset",
  accountOffset: "Invalid account offset",
  ids: "Invalid account ids",
  signature: "Invalid signature",
} as const;

/** Checks everything but {@link checkBucket}, which comes after the node has its place. */
export function checkAccountData(body: unknown, context: RequestContext): Checked<AccountDataRequest> {
  if (!context.isRestoring()) return errors.mode;
  const request = typed(body, {
    ...{ accountStart: "string", accountEnd: "string", tsStart: "number", maxRecords: "number" },
    ...{ offset: "number", accountOffset: "string", sign: "object" },
  });
  if (typeof request === "string") return request;
  const owner = ownerOf(request["sign"]);
  if (owner === undefined) return errors.sign;
  if (!context.isNode(owner)) return errors.node;
  if (!context.hasPlaceFor(owner)) return errors.busy;
  const { accountStart, accountEnd, tsStart, maxRecords, offset, accountOffset } =
    request as unknown as AccountDataRequest;
  if (!isHex64(accountStart) || !isHex64(accountEnd) || accountStart > accountEnd) return errors.range;
  if (tsStart < 0 || tsStart > context.nowMs) return errors.start;
  if (maxRecords < 1) return errors.records;
  if (offset < 0) return errors.offset;
  if (accountOffset !== "" && !isHex64(accountOffset)) return errors.accountOffset;
  if (signerOf(body, context.hashKey) === undefined) return errors.signature;
  return { owner, accountStart, accountEnd, tsStart, maxRecords, offset, accountOffset };
}

/** Returns the error for a page of more accounts than an archiver gives. */
export function checkBucket({ maxRecords }: AccountDataRequest): string | undefined {
  if (maxRecords <= restorePageAccountsMax) return undefined;
  return `Invalid AccountBucket size. Size was ${maxRecords}. Must be greater than 0 and less than ${restorePageAccountsMax}.`;
}

export function checkAccountList(body: unknown, context: RequestContext): Checked<AccountListRequest> {
  if (!context.isRestoring()) return errors.listMode;
  const request = typed(body, { accountIds: "array", sign: "object" });
  if (typeof request === "string") return request;
  const owner = ownerOf(request["sign"]);
  if (owner === undefined) return errors.sign;
  if (!context.isNode(owner)) return errors.node;
  const accountIds = request["accountIds"] as readonly unknown[];
  if (accountIds.length === 0 || !accountIds.every(isIdLong)) return errors.ids;
  if (signerOf(body, context.hashKey) === undefined) return errors.signature;
  return { owner, accountIds };
}

/** Checks a request that any key may make, in any mode. */
export function checkReport(body: unknown, hashKey: string): string | undefined {
  const request = typed(body, { sign: "object" });
  if (typeof request === "string") return request;
  if (ownerOf(request["sign"]) === undefined) return errors.sign;
  return signerOf(body, hashKey) === undefined ? errors.signature : undefined;
}

function isIdLong(id: unknown): id is string {
  return typeof id === "string" && id.length === 64;
}

type TypeName = "string" | "number" | "object" | "array";

type Fields = Readonly<Record<string, unknown>>;

/** Returns the fields of a body as the archiver sees them, or why they do not have the expected types. */
function typed(body: unknown, types: Readonly<Record<string, TypeName>>): Fields | string {
  const value: unknown = body === undefined ? undefined : revive(body);
  if (value === undefined) return "input is undefined";
  if (value === null) return "input is null";
  if (typeof value !== "object") return `input must be object, not ${typeof value}`;
  const fields = value as Fields;
  for (const [name, type] of Object.entries(types)) {
    const field = fields[name];
    if (field === undefined) return `${name} is required`;
    if (field === null) return `${name} cannot be null`;
    if ((Array.isArray(field) ? "array" : typeof field) !== type) return `${name} must be, ${type}`;
  }
  return fields;
}

/** Returns the owner of a `sign`; `undefined` if it is malformed. */
function ownerOf(sign: unknown): string | undefined {
  const { owner, sig } = sign as Fields;
  return typeof owner === "string" && typeof sig === "string" ? owner : undefined;
}
