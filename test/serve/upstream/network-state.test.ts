import { expect, onTestFinished, test } from "vitest";
import { upstreamAnswerCountsMs, upstreamAskMinMs } from "../../../src/limits/serve-archiver.ts";
import { UpstreamNetwork } from "../../../src/serve/upstream/network-state.ts";
import { startUpstream, type UpstreamStandIn } from "../archiver/served-accounts.ts";

const node = "ab".repeat(32);

async function observe(upstream: UpstreamStandIn, clock: { nowMs: number }) {
  const warnings: string[] = [];
  const network = new UpstreamNetwork(
    upstream.url,
    (message) => void warnings.push(message),
    () => clock.nowMs,
  );
  onTestFinished(() => network.close());
  await network.start();
  return { network, warnings };
}

test("an answer counts for a while when the archiver stops answering, and then nobody is a node", async () => {
  const upstream = await startUpstream({ syncing: [node] });
  const clock = { nowMs: 0 };
  const { network, warnings } = await observe(upstream, clock);
  expect([network.isRestoring(), network.isNode(node)]).toEqual([true, true]);
  upstream.state.behaviour = "fails";
  clock.nowMs = upstreamAnswerCountsMs;
  await network.refresh();
  expect([network.isRestoring(), network.isNode(node), warnings.length]).toEqual([true, true, 1]);
  clock.nowMs++;
  expect([network.isRestoring(), network.isNode(node), network.mode]).toEqual([false, false, undefined]);
  upstream.state.behaviour = "answers";
  clock.nowMs += upstreamAskMinMs;
  await network.refresh();
  expect([network.isRestoring(), network.isNode(node)]).toEqual([true, true]);
  expect(warnings[1]).toBe("the archiver behind this server answers again");
});

test("many requests at once ask the archiver once", async () => {
  const upstream = await startUpstream({ syncing: [node] });
  const clock = { nowMs: 0 };
  const { network } = await observe(upstream, clock);
  clock.nowMs = upstreamAskMinMs;
  await Promise.all(Array.from({ length: 50 }, () => network.refresh()));
  await network.refresh();
  expect(upstream.requested.length).toBe(6);
});

test("a URL with a path is the beginning of those that are asked for", async () => {
  const upstream = await startUpstream({ syncing: [node] });
  const below = { ...upstream, url: `${upstream.url}/archiver` };
  const { network } = await observe(below, { nowMs: 0 });
  expect(upstream.requested).toContain("/archiver/cycleinfo/1");
  expect(network.isRestoring()).toBe(false);
});
