/** Who stands at a dark site is known without a walk over the inventory, and is who stands there. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { siteId } from "#protocol/id.ts"
import { slotsAt } from "#twin/incident/aftermath.ts"
import { device, inventory } from "#twin/inventory.fixture.ts"

test("[I9] the routers of a site are those that the inventory puts there, in its order, in each inventory its own", () => {
  const places = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 })
  fc.assert(
    fc.property(places, places, (first, second) => {
      const made = [first, second].map((sites) => {
        const all = sites.map((site, n) => device(`r${n}`, { site: siteId(site) }))
        return { sites, all: inventory(all, []) }
      })
      // Twice: the second time it is known.
      for (const { sites, all } of [...made, ...made])
        for (const site of ["a", "b", "c", "d", "e"])
          assert.deepEqual(
            slotsAt(all).get(site) ?? [],
            sites.flatMap((one, slot) => (one === site ? [slot] : [])),
          )
    }),
  )
})
