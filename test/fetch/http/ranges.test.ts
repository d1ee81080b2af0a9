import type { RequestListener } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { FetchError } from "../../../src/errors/fetch-error.ts";
import { HttpClient } from "../../../src/fetch/http/http-client.ts";
import { httpServer } from "../../helpers/servers.ts";

const body = "0123456789";

/** Requests the bytes from 4 on. */
async function requestRest(handler: RequestListener): Promise<{ firstByte: number; text: string }> {
  const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 10_000 });
  onTestFinished(() => client.close());
  let firstByte = -1;
  const onStart = (first: number) => {
    firstByte = first;
  };
  let text = "";
  const url = await httpServer(handler);
  for await (const chunk of client.stream({ url, range: { start: 4, onStart } })) text += String(chunk);
  return { firstByte, text };
}

function ranged(contentRange: string | undefined): RequestListener {
  return (_, response) => {
    const headers = contentRange === undefined ? {} : { "content-range": contentRange };
    response.writeHead(206, headers).end(body.slice(4));
  };
}

describe("a request for a range", () => {
  it("asks for the bytes as they are, not compressed", async () => {
    let headers = {};
    await requestRest((request, response) => {
      headers = request.headers;
      ranged("bytes 4-9/10")(request, response);
    });
    expect(headers).toMatchObject({ range: "bytes=4-", "accept-encoding": "identity" });
  });

  it.each(["bytes 4-9/10", "bytes 4-9/*"])("receives the bytes of the range %s", async (range) => {
    expect(await requestRest(ranged(range))).toEqual({ firstByte: 4, text: "456789" });
  });

  it("receives the whole body of a server without ranges, and says so", async () => {
    const whole = await requestRest((_, response) => void response.end(body));
    expect(whole).toEqual({ firstByte: 0, text: body });
  });

  it.each([undefined, "bytes 0-9/10", "bytes 3-8/10", "bytes 4-8/10", "bytes 4-3/4", "4-9/10", "bytes */10"])(
    "fails if the response's range is %s",
    async (range) => {
      const failure = await requestRest(ranged(range)).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(FetchError);
      expect(failure).toMatchObject({ kind: "not-http" });
    },
  );

  it("fails with the status 416 behind the end of the body", async () => {
    const failure = await requestRest((_, response) => void response.writeHead(416).end()).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ kind: "status", status: 416 });
  });

  it("is the only one that a response with a part of the body answers", async () => {
    const client = new HttpClient({ connectTimeoutMs: 2_000, stallTimeoutMs: 10_000 });
    onTestFinished(() => client.close());
    const url = await httpServer(ranged("bytes 4-9/10"));
    await expect(client.whole({ url }, 100)).rejects.toMatchObject({ kind: "status", status: 206 });
  });
});
