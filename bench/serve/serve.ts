/**
 * Measures `serve`: `npm run bench:serve -- [megabytes] [rounds]`. Files are downloaded in turns from it and from nginx
 * (`apt-get install nginx-light`), which serves the same directory. The first byte of `/snapshot-data` is timed for a
 * snapshot of the given size and for one of a tenth.
 */

import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type BenchRow, printTable, round3 } from "../bench-row.ts";
import { commandPath, end } from "../command.ts";
import { machine, median, print, timeMs } from "../measure.ts";
import { measuredRun } from "../measured-run.ts";
import { startStaticNetwork } from "../speed/static-network-process.ts";

const run = promisify(execFile);

/** Requests whose first byte is timed. */
const firstBytes = 50;

const [megabytes = 400, rounds = 5] = process.argv.slice(2).map(Number);
const scratch = await mkdtemp(join(tmpdir(), "bench-serve-"));
try {
  const large = await assembled(megabytes);
  const small = await assembled(megabytes / 10);
  const rows = [...(await fileRows(large)), ...(await firstByteRows(small, large))];
  printTable(rows);
  print(JSON.stringify({ machine, rows }));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Returns the directory that contains the snapshot. */
async function assembled(size: number): Promise<string> {
  const directory = join(scratch, `wire-${size}`);
  await mkdir(directory);
  const settings = { megabytes: size, form: "canonical", nodes: 9, directory } as const;
  const { network, stop } = await startStaticNetwork(settings);
  try {
    const out = join(scratch, `snapshots-${size}`);
    const at = ["--timestamp", String(network.timestamp), "--archiver", network.archiver, "--out", out];
    await measuredRun([...at, "--seed", "none"]);
    return out;
  } finally {
    await stop();
    await rm(directory, { recursive: true });
  }
}

async function fileRows(out: string): Promise<BenchRow[]> {
  const [name = ""] = await readdir(out);
  const files = (await readdir(join(out, name))).filter((file) => file.startsWith("partition-"));
  const ours = await startServe(out);
  const nginx = await startNginx(out);
  const times = {
    serve: [] as number[],
    nginx: [] as number[],
    parallel: [] as number[],
    nginxParallel: [] as number[],
  };
  try {
    for (let round = 0; round < rounds; round++) {
      times.serve.push(await download(`${ours.url}/snapshots/${name}`, files, 1));
      times.nginx.push(await download(`${nginx.url}/${name}`, files, 1));
      times.parallel.push(await download(`${ours.url}/snapshots/${name}`, files, 4));
      times.nginxParallel.push(await download(`${nginx.url}/${name}`, files, 4));
    }
  } finally {
    await ours.stop();
    await nginx.stop();
  }
  const row = (what: string, own: readonly number[], other: readonly number[]): BenchRow => ({
    what: `speed of files ÷ that of nginx, ${what}`,
    atLeast: "≥ 0.5",
    aim: "1",
    measured: round3(median(other) / median(own)),
    note: `${median(own)} ms and ${median(other)} ms for ${megabytes} MB; all: ${own.map(Math.round).join(", ")} and ${other.map(Math.round).join(", ")}`,
  });
  return [
    row("one after another", times.serve, times.nginx),
    row("four at once", times.parallel, times.nginxParallel),
  ];
}

/** Returns the milliseconds that curl takes. */
async function download(base: string, files: readonly string[], atOnce: number): Promise<number> {
  const urls = files.flatMap((file) => [`${base}/${file}`, "-o", "/dev/null"]);
  return await timeMs(() =>
    run("curl", ["-sf", ...(atOnce === 1 ? [] : ["-Z", "--parallel-max", String(atOnce)]), ...urls]),
  );
}

async function firstByteRows(small: string, large: string): Promise<BenchRow[]> {
  const times = { small: await firstByteMs(small), large: await firstByteMs(large) };
  return [
    {
      what: `first byte of /snapshot-data, ${megabytes} MB ÷ ${megabytes / 10} MB`,
      atLeast: "1",
      aim: "1",
      measured: round3(times.large / times.small),
      note: `${round3(times.large)} and ${round3(times.small)} ms, medians of ${firstBytes}`,
    },
  ];
}

async function firstByteMs(out: string): Promise<number> {
  const [name = ""] = await readdir(out);
  const timestamp = name.slice("snapshot-".length);
  const { url, stop } = await startServe(out);
  try {
    const times: number[] = [];
    for (let request = 0; request < firstBytes; request++) {
      // Somewhere in the ring, up to its end.
      const start = Math.floor((request / firstBytes) * 2 ** 32)
        .toString(16)
        .padStart(8, "0")
        .padEnd(64, "0");
      const query = `timestamp=${timestamp}&startAddr=${start}&endAddr=${"f".repeat(64)}`;
      const args = [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{time_starttransfer}",
        `${url}/snapshot-data?${query}`,
        "--max-filesize",
        "2000000",
      ];
      const output = await run("curl", args).catch((error: { stdout: string }) => error);
      times.push(Number(output.stdout) * 1000);
    }
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)] ?? Number.NaN;
  } finally {
    await stop();
  }
}

interface RunningServer {
  readonly url: string;
  readonly stop: () => Promise<unknown>;
}

async function startServe(directory: string): Promise<RunningServer> {
  const args = ["serve", directory, "--listen", "127.0.0.1:0", "--json"];
  const child = spawn(process.execPath, [commandPath, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type === "listening") return { url: event.url, stop: () => end(child, "SIGTERM") };
  }
  throw new Error("serve ended without listening");
}

/** Debian's settings, but for what a user without privileges may write to. */
async function startNginx(root: string): Promise<RunningServer> {
  const home = join(scratch, "nginx");
  await mkdir(home, { recursive: true });
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  const configuration = `${process.getuid?.() === 0 ? "user root;" : ""} pid ${home}/pid; error_log ${home}/errors; worker_processes auto; daemon off;
    events { worker_connections 768; }
    http { sendfile on; tcp_nopush on; access_log off; ${temporary.join(" ")}
      server { listen 127.0.0.1:${port}; root ${root}; } }`;
  await writeFile(join(home, "nginx.conf"), configuration);
  const child = spawn("nginx", ["-c", join(home, "nginx.conf"), "-e", `${home}/errors`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return { url, stop: () => end(child, "SIGTERM") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
