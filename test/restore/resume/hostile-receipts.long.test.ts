import { describe, expect, it } from "vitest";
import { busyNetwork, network, newNetwork, refused, rowsIn, run, useSnapshot } from "./resumption.ts";
import { endOf, identities, type ReceiptOptions, type Row, withHash } from "./stopped-network.ts";

useSnapshot();

const rewritten = (column: string, change: (value: never) => unknown) => (row: Row) => ({
  ...row,
  [column]: JSON.stringify(change(JSON.parse(String(row[column])) as never)),
});

interface Hostile {
  readonly id: string;
  readonly options: ReceiptOptions;
  readonly says: RegExp;
}

const unproved: Hostile[] = [
  {
    id: "has a forged signature among too few",
    options: {
      signers: (group) => group.slice(0, 4),
      change: rewritten(
        "signedReceipt",
        ({ signaturePack, ...rest }: { signaturePack: { sig: string; owner: string }[] }) => {
          const [first, ...others] = signaturePack;
          return { ...rest, signaturePack: [{ ...first, sig: others[0]?.sig }, ...others] };
        },
      ),
    },
    says: /3 valid signatures of a group of 5, which is less than two thirds \(4 signatures\)/,
  },
  {
    id: "has three signatures of five",
    options: { signers: (group) => group.slice(0, 3) },
    says: /3 valid signatures/,
  },
  {
    id: "is signed by others than its group",
    options: { signers: (group, others) => [...group.slice(0, 3), ...others] },
    says: /3 valid signatures of a group of 5.*\(7 signatures, 4 of others than the group/,
  },
  {
    id: "has one signature several times",
    options: { signers: (group) => group.slice(0, 2).flatMap((one) => [one, one, one]) },
    says: /2 valid signatures/,
  },
  {
    id: "states another result than was voted on",
    options: {
      change: rewritten("signedReceipt", ({ proposal, ...rest }: { proposal: object }) => ({
        ...rest,
        proposal: { ...proposal, appReceiptDataHash: "0".repeat(64) },
      })),
    },
    says: /0 valid signatures/,
  },
  {
    id: "has other times of votes",
    options: {
      change: rewritten("signedReceipt", (signed: object) => ({ ...signed, voteOffsets: [9, 9, 9, 9, 9] })),
    },
    says: /0 valid signatures/,
  },
  {
    id: "has no times of votes",
    options: { change: rewritten("signedReceipt", (signed: object) => ({ ...signed, voteOffsets: [] })) },
    says: /0 valid signatures/,
  },
  { id: "is of a cycle without a record", options: { cycle: 40 }, says: /no record of cycle 16/ },
];

describe("a receipt that nothing proves", () => {
  it.each(unproved)("is refused if it $id, and named", async ({ options, says }) => {
    busyNetwork();
    const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, options);
    const error = await refused(network.write());
    expect(error.code).toBe("verification");
    expect(error.details).toEqual([expect.stringMatching(says)]);
    expect(error.details[0]).toContain(`receipt ${id} of cycle ${options.cycle ?? 13}`);
  });

  it.each(unproved)(
    "is applied if that is wanted and it $id, and the result names it",
    async ({ options }) => {
      busyNetwork();
      const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, options);
      const databases = network.write();
      const { replay, warnings } = await run(databases, { unverifiedReceipts: true });
      expect(rowsIn(databases)).toEqual(network.expected);
      expect(replay.unverified).toMatchObject({ count: 1, shown: [{ receiptId: id }] });
      expect(warnings).toEqual([expect.stringContaining(id)]);
    },
  );

  it("is proved by four signatures of five, although a fifth is forged", async () => {
    newNetwork();
    network.transfer([network.account(0).accountId], endOf(9) - 20_000, {
      change: rewritten(
        "signedReceipt",
        ({ signaturePack, ...rest }: { signaturePack: { sig: string }[] }) => {
          return {
            ...rest,
            signaturePack: [{ ...signaturePack[0], sig: "0".repeat(192) }, ...signaturePack.slice(1)],
          };
        },
      ),
    });
    const { replay } = await run(network.write());
    expect(replay).toMatchObject({ receipts: { applied: 1 }, unverified: { count: 0 } });
  });

  it("is proved by the nodes of its own cycle alone", async () => {
    newNetwork();
    const left = identities[0];
    const address = Object.keys(Object.fromEntries(network.state)).find((id) => id.startsWith("0")) ?? "";
    network.transfer([address], endOf(12) - 20_000);
    await run(network.write());
    network.transfer([address], endOf(13) - 20_000, {
      signers: (group) => (left === undefined ? group : [left, ...group.slice(0, 3)]),
    });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("3 valid signatures of a group of 5")]);
  });

  it("is refused if it is of a global account and too few have signed", async () => {
    newNetwork();
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    const changes = [{ accountId, data: { timestamp: at } }];
    network.execute(changes, at, { isGlobal: true, signers: (group) => group.slice(0, 3) });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("3 valid signatures of a group of 5")]);
  });

  it("is refused if it changes a global account in a way that archivers do not accept", async () => {
    newNetwork();
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    const changes = [{ accountId, data: { timestamp: at } }];
    network.execute(changes, at, { isGlobal: true, internalTXType: 2 });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("of a kind that archivers do not accept")]);
  });
});

const changedStates = (change: (states: { accountId: string; data: Record<string, unknown> }[]) => unknown) =>
  rewritten("afterStates", change as never);

describe("a receipt that contradicts itself", () => {
  it.each([
    {
      id: "data without the hash that was voted on",
      change: changedStates(([first, ...rest]) => [
        { ...first, data: { ...first?.data, balance: 1 } },
        ...rest,
      ]),
      says: /does not have the hash that was voted on/,
    },
    { id: "no account after the transaction", change: changedStates(() => []), says: /lacks the account/ },
    {
      id: "another transaction's ID",
      change: (row: Row) => ({ ...row, receiptId: "f".repeat(64) }),
      says: /it is the receipt of transaction [0-9a-f]{64}/,
    },
    {
      id: "a vote for not applying it",
      change: rewritten("signedReceipt", ({ proposal, ...rest }: { proposal: object }) => ({
        ...rest,
        proposal: { ...proposal, applied: false },
      })),
      says: /voted for not applying the transaction/,
    },
    {
      id: "more hashes than accounts",
      change: rewritten(
        "signedReceipt",
        ({ proposal, ...rest }: { proposal: { beforeStateHashes: string[] } }) => ({
          ...rest,
          proposal: { ...proposal, beforeStateHashes: [...proposal.beforeStateHashes, ""] },
        }),
      ),
      says: /differ in length/,
    },
  ])("by $id is refused, also with --unverified-receipts", async ({ change, says }) => {
    busyNetwork();
    network.transfer([network.account(0).accountId], endOf(13) - 20_000, { change });
    const error = await refused(network.write(), { unverifiedReceipts: true });
    expect(error.code).toBe("verification");
    expect(error.details).toEqual([expect.stringMatching(says)]);
  });

  it("is refused if it changes a global account to another state than was signed", async () => {
    newNetwork();
    const { accountId } = network.global;
    const at = endOf(9) - 20_000;
    network.execute([{ accountId, data: { timestamp: at } }], at, {
      isGlobal: true,
      change: changedStates(([first]) => [{ ...first, ...withHash({ timestamp: at + 1 }) }]),
    });
    const error = await refused(network.write());
    expect(error.details).toEqual([expect.stringContaining("does not have the hash that was voted on")]);
  });

  it.each([
    {
      id: "its signatures are not JSON",
      change: (row: Row) => ({ ...row, signedReceipt: '{"proposal":' }),
      says: /signedReceipt: not JSON/,
    },
    {
      id: "its accounts are not a list",
      change: (row: Row) => ({ ...row, afterStates: "{}" }),
      says: /expected a list of accounts/,
    },
    {
      id: "its accounts are missing",
      change: (row: Row) => ({ ...row, afterStates: null }),
      says: /its afterStates is not a text of at most/,
    },
    {
      id: "it is huge",
      change: (row: Row) => ({ ...row, signedReceipt: `"${"x".repeat(33 * 2 ** 20)}"` }),
      says: /its signedReceipt is not a text of at most 33554432 bytes/,
    },
    {
      id: "its cycle is a text",
      change: (row: Row) => ({ ...row, cycle: "nine" }),
      says: /its cycle or its timestamp is not a whole number/,
    },
  ])("is malformed if $id, which names it", async ({ change, says }) => {
    busyNetwork();
    const id = network.transfer([network.account(0).accountId], endOf(13) - 20_000, { change });
    const error = await refused(network.write(), { unverifiedReceipts: true });
    expect(error.code).toBe("verification");
    expect(error.message).toMatch(says);
    expect(error.message).toContain(`receipt ${id}`);
  });
});
