/**
 * Loaded into the published archiver before its own code (`node -r`): stands in for its native network library, binds
 * it to loopback, tells the port on descriptor 3, and ends it with the process that started it.
 */

"use strict";

const { writeSync } = require("node:fs");
const Module = require("node:module");
const net = require("node:net");

// It reads keys of transactions alone, which no test sends.
const nothing = new Proxy({}, { get: () => () => undefined });
const load = Module._load;
Module._load = function (request, ...rest) {
  return request === "@shardeum-foundation/lib-net" ? nothing : load.call(this, request, ...rest);
};

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (options, ...rest) {
  if (typeof options !== "object" || options?.host !== "0.0.0.0") return listen.call(this, options, ...rest);
  this.once("listening", () => writeSync(3, `${this.address().port}\n`));
  return listen.call(this, { ...options, host: "127.0.0.1" }, ...rest);
};

process.stdin.on("end", () => process.exit(0)).resume();
