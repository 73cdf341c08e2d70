// Chromium without a window, in a profile of its own.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = [process.env.CHROMIUM ?? "chromium", "chromium-browser", "google-chrome"];
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"];

/** The command, if there is one. */
export const chromium = NAMES.find((name) => spawnSync(name, ["--version"]).status === 0);

/** Why nothing can be tried in a browser here; false if it can. */
export const missing = chromium === undefined && `there is no ${NAMES[0]} (Debian: chromium)`;

/**
 * @param {string} address of the first page
 * @param {string[]} [flags] more of them
 * @param {{ commands?: unknown, messages?: unknown }} [pipes] is given the two ends of --remote-debugging-pipe
 * @returns {() => Promise<void>} ends it, and removes its profile
 */
export function open(address, flags = [], pipes) {
  const profile = mkdtempSync(join(tmpdir(), "bnas-browser-"));
  const child = spawn(
    /** @type {string} */ (chromium),
    [...FLAGS, ...flags, `--user-data-dir=${profile}`, address],
    {
      detached: true, // a process group of its own, which ends as a whole
      stdio: ["ignore", "ignore", "ignore", ...(pipes ? /** @type {const} */ (["pipe", "pipe"]) : [])],
    },
  );
  if (pipes) [, , , pipes.commands, pipes.messages] = child.stdio;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return async () => {
    process.kill(-(/** @type {number} */ (child.pid)), "SIGKILL");
    await ended;
    remove(profile);
  };
}

/**
 * The browser's helpers may write for a moment after it has ended; what then stays is a folder of temporary files.
 * @param {string} profile
 */
function remove(profile) {
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  } catch (error) {
    console.warn(`${profile} stays: ${error}`);
  }
}
