/** [I7] A site that holds very many routers: all of them there, in one piece with the rest, and gone together. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { BIG_SITE_LABEL, BIG_SITE_MAX, BIG_SITE_MIN } from "#lab/isp/big-site.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp } from "#lab/isp/model.ts"
import { components, graphOf } from "#lab/isp/spf.ts"

const sizes = fc.record({
  rest: fc.integer({ min: 20, max: 120 }),
  bigSite: fc.integer({ min: BIG_SITE_MIN, max: 220 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
})
const RUNS = { numRuns: 20 }

const made = ({ rest, bigSite, seed }: { rest: number; bigSite: number; seed: number }): Isp =>
  generate({ routers: rest + bigSite, bigSite, seed })

/** The site's routers by index. */
const metro = (isp: Isp): ReadonlySet<number> => {
  const site = isp.sites.findIndex(({ name }) => name.startsWith(`${BIG_SITE_LABEL} (`))
  assert.ok(site >= 0, isp.sites.map(({ name }) => name).join(", "))
  return new Set(isp.routers.filter((router) => router.site === site).map(({ index }) => index))
}

/** How many islands are left without these routers. */
const islandsWithout = (isp: Isp, dead: ReadonlySet<number>): number => {
  const graph = graphOf(
    isp.routers.length,
    isp.links.map((link) => ({ a: isp.ports[link.a]!.router, b: isp.ports[link.b]!.router, cost: link.cost })),
  )
  const alive = Uint8Array.from(isp.routers, ({ index }) => (dead.has(index) ? 0 : 1))
  const component = components(graph, alive, new Uint8Array(isp.links.length).fill(1))
  return new Set([...component].filter((label, index) => label >= 0 && alive[index] === 1)).size
}

test("[I7] it has exactly the routers asked for, and the ISP is in one piece with it and without it", () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const isp = made(size)
      const at = metro(isp)
      assert.equal(isp.routers.length, size.rest + size.bigSite)
      assert.equal(at.size, size.bigSite)
      assert.equal(islandsWithout(isp, new Set()), 1)
      // Nobody else hangs behind it: its blackout is the site's, and nothing more.
      assert.equal(islandsWithout(isp, at), 1)
    }),
    RUNS,
  )
})

test("[I7] two aggregation routers carry it: either may die and only what hangs on nothing else is cut off", () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const isp = made(size)
      const aggs = [...metro(isp)].filter((index) => isp.routers[index]!.roles.includes("agg"))
      assert.equal(aggs.length, 2)
      for (const agg of aggs) assert.equal(islandsWithout(isp, new Set([agg])), 1)
      assert.ok(islandsWithout(isp, new Set(aggs)) > 1)
    }),
    RUNS,
  )
})

test("without it every ISP is as it was, and a size that cannot be is named", () => {
  assert.deepEqual(generate({ routers: 60, seed: 7 }), generate({ routers: 60, seed: 7, bigSite: 0 }))
  for (const bigSite of [BIG_SITE_MIN - 1, BIG_SITE_MAX + 1, 12.5, -3])
    assert.throws(() => generate({ routers: 2_000, seed: 1, bigSite }), new RegExp(`not ${bigSite}`))
})
