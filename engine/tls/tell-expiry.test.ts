/** The end of a certificate as an event: from the keeper's threshold over the platform's twin into its list, live and replayed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Ending } from "#engine/tls/keeper.ts"
import { tellExpiry } from "#engine/tls/tell-expiry.ts"
import { decodeBatch, encodeBatch } from "#engine/tenant/journal-codec.ts"
import { plainCells } from "#twin/cells.ts"
import type { Input } from "#twin/input.ts"
import { newWorld, runRound } from "#twin/round.ts"

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 21, 6)

const told = (ending: Ending): readonly Input[] => {
  const inputs: Input[] = []
  const submit = (input: Input): boolean => inputs.push(input) > 0
  tellExpiry(
    { onExpiring: (listener) => listener(ending) },
    () => ({ submit }),
    () => NOW,
  )
  return inputs
}
const eventsOf = (inputs: readonly Input[]) =>
  runRound(
    newWorld(),
    plainCells(),
    inputs.map((input, index) => ({ seq: index + 1, input })),
  ).events

test("[S8] the thresholds 30, 7, 1 and the end are events of the tenant, graver as it comes nearer", () => {
  const seen = [30, 7, 1, 0].flatMap((days) =>
    eventsOf(told({ names: "noc.example.net", validToMs: NOW + days * DAY_MS, days })),
  )
  assert.deepEqual(
    seen.map(({ type, severity, subjectKind, entity, old, new: end }) => [
      type,
      severity,
      subjectKind,
      entity,
      old,
      end,
    ]),
    [
      ["cert.expiring", "minor", "tenant", "noc.example.net", null, "2026-12-21"],
      ["cert.expiring", "major", "tenant", "noc.example.net", null, "2026-11-28"],
      ["cert.expiring", "critical", "tenant", "noc.example.net", null, "2026-11-22"],
      ["cert.expired", "critical", "tenant", "noc.example.net", null, "2026-11-21"],
    ],
  )
})

test("[S8] a replay from the journal tells the same events, however many names there are", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), fc.constantFrom(30, 7, 1, 0), (names, days) => {
      const live = told({ names, validToMs: NOW, days })
      const replayed = decodeBatch(encodeBatch(live.map((input, index) => ({ seq: index + 1, input }))))
      assert.deepEqual(eventsOf(replayed.map(({ input }) => input)), eventsOf(live))
      assert.ok((eventsOf(live)[0]?.entity.length ?? 0) <= 200)
    }),
  )
})

test("a platform tenant that does not run now costs nothing", () => {
  const ending = { names: "a", validToMs: NOW, days: 1 }
  assert.doesNotThrow(() =>
    tellExpiry(
      { onExpiring: (listener) => listener(ending) },
      () => null,
      () => NOW,
    ),
  )
})
