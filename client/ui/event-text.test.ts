/** [I6] What an event happened to, in words: also the engine itself, which is in no list of devices. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { language } from "#client/i18n/translate.ts"
import { eventText, subjectName, twinSays } from "#client/ui/event-text.ts"
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

test("[W7] a service is named, never by its id, in both languages; what is said is not said twice", () => {
  const before = language.value
  const down: EventView = {
    ...event("e1", "device"),
    type: "service.down",
    entity: "service:0b7e-dns",
    old: "up",
    new: "down",
    raw: "service DNS of Recife is down",
  }
  const fires: EventView = {
    ...event("e1", "device"),
    entity: "service:0b7e-dns",
    old: "service-down",
    raw: "The service DNS of Recife is down",
  }
  language.value = "pt-BR"
  assert.equal(eventText(down), "O serviço DNS of Recife está fora do ar")
  assert.match(eventText(fires), /^O serviço DNS of Recife está fora do ar · /)
  language.value = "en"
  assert.equal(eventText(down), "Service DNS of Recife is down")
  for (const one of [down, fires]) {
    assert.ok(!eventText(one).includes("0b7e"))
    assert.equal(twinSays(one), null)
  }
  assert.match(eventText({ ...down, raw: null }), /0b7e-dns/, "without words the id is all there is")
  assert.match(eventText({ ...down, source: "syslog" }), /0b7e-dns/, "a device's words name nothing of ours")
  language.value = before
})
