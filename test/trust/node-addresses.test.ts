import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { nodeAddressRule, openClients } from "../../src/trust/node-addresses.ts";
import { httpServer, tcpServer } from "../helpers/servers.ts";

const timeouts = { connectTimeoutMs: 1_000, stallTimeoutMs: 1_000 };
const samples = { public: "1.1.1.1", private: "10.0.0.1", loopback: "127.0.0.1", link: "169.254.1.1" };

describe("a node's address", () => {
  it.each([
    { archiver: "1.2.3.4", may: ["public"] },
    { archiver: "192.168.1.1", may: ["public", "private"] },
    { archiver: "fd00::1", may: ["public", "private"] },
    { archiver: "127.0.0.1", may: ["public", "private", "loopback"] },
    { archiver: "::1", may: ["public", "private", "loopback"] },
    { archiver: "169.254.1.1", may: ["public"] },
    { archiver: undefined, may: ["public"] },
  ])("may be $may with an archiver at $archiver", ({ archiver, may }) => {
    const rule = nodeAddressRule({}, () => archiver);
    const permitted = Object.entries(samples).filter(([, address]) => rule(address) === undefined);
    expect(permitted.map(([kind]) => kind)).toEqual(may);
  });

  it.each([
    { id: "--allow-private", options: { allowPrivate: true } },
    { id: "a file with the node list", options: { nodes: "nodes.json" } },
  ])("may be loopback or private with $id, but not link-local", ({ options }) => {
    const rule = nodeAddressRule(options, () => "1.2.3.4");
    expect(rule("127.0.0.1")).toBeUndefined();
    expect(rule("10.0.0.1")).toBeUndefined();
    expect(rule("169.254.169.254")).toBe(
      "its address 169.254.169.254 is that of a cloud's metadata service and never receives requests",
    );
    expect(rule("fe80::1")).toBe("its address fe80::1 is link-local and never receives requests");
  });

  it.each([
    (port: string) => `http://127.0.0.1:${port}`,
    (port: string) => `http://localhost:${port}`,
    (port: string) => `http://2130706433:${port}`,
    (port: string) => `http://0x7f.1:${port}`,
    (port: string) => `http://0177.0.0.1:${port}`,
    (port: string) => `http://127.1:${port}`,
    (port: string) => `http://[::ffff:127.0.0.1]:${port}`,
    (port: string) => `http://[::1]:${port}`,
  ])("is checked before a connection in any spelling (%s)", async (spell) => {
    let connections = 0;
    const { port } = new URL(await tcpServer(() => connections++));
    const client = new HttpClient(
      timeouts,
      nodeAddressRule({}, () => "1.2.3.4"),
    );
    onTestFinished(() => client.close());
    await expect(client.whole({ url: spell(port) }, 10)).rejects.toMatchObject({
      kind: "not-asked",
      message: expect.stringContaining("is loopback, which the archiver's is not (see --allow-private)"),
    });
    expect(connections).toBe(0);
  });

  it("is checked by the archiver's resolved address", async () => {
    const url = await httpServer((_request, response) => response.end("ok"));
    const { port } = new URL(url);
    const clients = openClients({ archiver: `http://localhost:${port}`, ...timeouts });
    onTestFinished(() => clients.close());
    await expect(clients.nodes.whole({ url }, 10)).rejects.toMatchObject({ kind: "not-asked" });
    await clients.lists.whole({ url: `http://localhost:${port}/list` }, 10);
    expect(String(await clients.nodes.whole({ url }, 10))).toBe("ok");
  });
});
