/** [I9] Every recorded fault of real routers is named, alone, before it is mended, and forgotten after. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { replayTimeline } from "#bench/rca/timelines.ts"
import type { Replayed } from "#bench/rca/timelines.ts"

const DIRECTORY = join(import.meta.dirname, "../../lab/frr/timelines")
/** The way it failed, where the recording lets one know. */
const KIND: Readonly<Record<string, Replayed["named"][number]["kind"]>> = {
  "link-shut": "shut",
  "loss-75": "loss",
  "router-killed": "router",
  "upstream-killed": "router",
}

for (const file of globSync("*.jsonl", { cwd: DIRECTORY }).toSorted()) {
  test(`[I9] ${file}: the injected fault is the one cause`, (t) => {
    const replayed = replayTimeline(readFileSync(join(DIRECTORY, file), "utf8"))
    t.diagnostic(
      `right after ${replayed.firstRightMs} ms; ${replayed.named.map(({ words, confidence }) => `${words} (${confidence.toFixed(3)})`).join(", ")}; wrong on the way: ${replayed.wrong.join() || "none"}`,
    )
    assert.deepEqual(
      replayed.named.map(({ element, kind }) => [element, kind]),
      [[replayed.truth, KIND[replayed.header.timeline]]],
    )
    // The recording of the upstream ends before it answers again.
    if (file !== "upstream-killed.jsonl") assert.deepEqual(replayed.after, [])
  })
}
