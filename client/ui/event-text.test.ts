/** [I6] What an event happened to, in words: also the engine itself, which is in no list of devices. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { language } from "#client/i18n/translate.ts"
import { eventText, subjectName } from "#client/ui/event-text.ts"
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

test("[U7] what changed is said in the gender of what changed", () => {
  const before = language.value
  language.value = "pt-BR"
  const changed = (type: string, old: string, now: string) =>
    eventText({ ...event("x1", "device"), type, entity: "", old, new: now })
  assert.equal(changed("device.reachable.changed", "up", "down"), "Alcance do dispositivo mudou: no ar → fora")
  assert.match(changed("interface.oper.changed", "down", "up"), /: fora → ativa$/)
  assert.match(changed("bgp.peer.changed", "established", "idle"), /established → idle$/, "a protocol's word stays")
  language.value = before
})
