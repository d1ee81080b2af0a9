/** Preloaded into a process that has to end with its parent: its stdin is closed at any end of it. */

import type { Socket } from "node:net";
import { kill, pid, stdin } from "node:process";

const end = () => void kill(pid, "SIGTERM");
stdin.on("error", end).on("end", end).resume();
// It does not keep the process alive.
(stdin as unknown as Socket).unref();
