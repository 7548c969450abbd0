/** [I6] What an event happened to, in words: also the engine itself, which is in no list of devices. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { subjectName } from "#client/ui/event-text.ts"
import { ENGINE_DEVICE } from "#protocol/id.ts"
import type { EventView } from "#protocol/view.ts"

const event = (subject: string, subjectKind: EventView["subjectKind"]): EventView => ({
  id: "1-0",
  atMs: 0,
  type: "alert.firing",
  severity: "critical",
  subject,
  subjectKind,
  entity: "engine:self",
  old: "engine-database-away",
  new: "firing",
  raw: null,
  source: "twin",
})

test("[I6] the engine has its name, with and without a twin; what nobody knows keeps its id", () => {
  assert.equal(subjectName(event(ENGINE_DEVICE, "tenant"), null), "Heliograph")
  assert.equal(subjectName(event("x1", "device"), null), "x1")
})
