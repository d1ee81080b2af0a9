import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hasSmallDisk, makeScenario } from "../../src/simulator/scenario.ts";
import { simulate } from "../../src/simulator/simulate.ts";

/** Fresh in each run, so that tests find what no earlier run has found; a failure names the seed. */
const base = process.env["SIMULATE_SEED"] ?? randomBytes(4).toString("hex");

const runs = 300;
const shares = 10;

/** Seeds of runs without bases that once went wrong, each with what it found. */
const kept = [
  { seed: "4a82012c/491", found: "outgrown budgets used up the attempts of the only source" },
  {
    seed: "a/16",
    found: "two honest peers had outgrown the byte budget, and the third failed: the run gave up",
  },
  { seed: "a/377", found: "a fast peer had outgrown the budget, and slow ones kept the run waiting" },
  { seed: "b/1989", found: "peers that send without end" },
  { seed: "b/2188", found: "honest peers are hedged more than once" },
  { seed: "f/5240", found: "a peer straggled while we sorted what it had sent" },
  { seed: "g/5419", found: "a run stayed patient with a slow peer after fast ones had become sources again" },
  { seed: "w2/3764", found: "a peer lingered after its response, and the rest of its query had to wait" },
  {
    seed: "disk/518",
    found: "the disk had no space for the fast peers, and a straggler kept the run waiting",
  },
  { seed: "disk/1308", found: "with one response at a time, no slow peer ever ended" },
  { seed: "43e1af36/5406", found: "a lingering response kept the only place on a nearly full disk" },
  { seed: "c/1359", found: "several hedges at one moment" },
];

/** The same, of runs with seeds, beginnings, and peers that break off. */
const keptWithBases = [
  { seed: "t/79", found: "the disk had no space for a base and what completes it, only for the partition" },
  { seed: "t/217", found: "deltas that broke off left nothing, and each peer sent half of one" },
  {
    seed: "planted/25",
    found: "a beginning was not continued beyond the bytes that one response may hold, and was sent again",
  },
  { seed: "v/183", found: "the same, until no peer had an attempt left" },
  { seed: "q1/95", found: "what a peer left was shorter than a slot, and was lost" },
  { seed: "q2/318", found: "the only source of a partition lingered, and the run waited for days" },
  {
    seed: "l2/325",
    found: "the only source of a partition lingered in the only place, and others had to wait",
  },
  {
    seed: "q/638",
    found: "a peer lingered, and the run waited for it where the disk had no space for the rest",
  },
  { seed: "s/1717", found: "the same, of a partition whose base was to be completed" },
  {
    seed: "s/2553",
    found: "on a full disk, what a peer gave beside a partition excluded it from that as well",
  },
];

describe("a simulated network", () => {
  it.each(kept)("has no findings for the kept seed $seed ($found)", async ({ seed }) => {
    expect(await simulate(seed, "none")).toMatchObject({ findings: [] });
  });

  it.each(keptWithBases)("has no findings for the kept seed $seed with bases ($found)", async ({ seed }) => {
    expect(await simulate(seed, "bases")).toMatchObject({ findings: [] });
  });

  it.each(Array.from({ length: shares }, (_, share) => share))(
    `has no findings in share %i of ${runs} runs of the base seed ${base}`,
    async (share) => {
      for (let run = share; run < runs; run += shares) {
        const { seed, findings } = await simulate(`${base}/${run}`);
        expect({ seed, findings }).toEqual({ seed, findings: [] });
      }
    },
  );

  it("finishes every run from an honest mirror where no validator has the snapshot any more", async () => {
    const outcomes: string[] = [];
    for (let run = 0; outcomes.length < 20; run++) {
      const seed = `gone/${run}`;
      const scenario = makeScenario(seed);
      const isGone = scenario.peers.every(
        ({ behaviour }) => behaviour.kind === "drops" && behaviour.atMs === 0,
      );
      if (!isGone || hasSmallDisk(scenario) || scenario.mirrors.length === 0) continue;
      outcomes.push(`${seed}: ${(await simulate(seed)).outcome}`);
    }
    expect(outcomes.filter((outcome) => !outcome.endsWith(": complete"))).toEqual([]);
  });

  it("repeats a run exactly", async () => {
    expect(await simulate("repeat/7")).toEqual(await simulate("repeat/7"));
  });
});
