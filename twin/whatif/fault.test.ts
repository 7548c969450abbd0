/** What a fault takes down, and what depends on it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { lostByDependence } from "#twin/whatif/dependency.ts"
import type { DependencyGroup } from "#twin/whatif/dependency.ts"
import { applyFaults, MAX_FAULTS } from "#twin/whatif/fault.ts"
import { knownOf, net } from "#twin/whatif/model.fixture.ts"

const structure = knownOf({
  graph: net(4, "0-1 1-2 2-3 3-0"),
  siteOf: Int32Array.from([0, 1, 1, -1]),
  srlgs: [{ id: "duct", name: "Duct under the river", links: [1, 3], routers: [2] }],
})

test("faults come down to nodes and links that fail, each once", () => {
  const failed = applyFaults(structure, [
    { kind: "router", router: 3 },
    { kind: "site", site: 1 },
    { kind: "srlg", srlg: 0 },
    { kind: "interface", router: 1, ifName: "e0" },
    { kind: "link", link: 0 },
  ])
  assert.deepEqual(failed, { nodes: [1, 2, 3], links: [0, 1, 3], drained: [], unknown: [] })
})

test("a drained link is not down, unless it fails as well", () => {
  const drains = [
    { kind: "drain", link: 0 },
    { kind: "drain", link: 2 },
  ] as const
  assert.deepEqual(applyFaults(structure, drains).drained, [0, 2])
  assert.deepEqual(applyFaults(structure, [...drains, { kind: "link", link: 0 }]), {
    nodes: [],
    links: [0],
    drained: [2],
    unknown: [],
  })
})

test("what the network does not have is said, not guessed", () => {
  const nothing = [
    { kind: "link", link: 4 },
    { kind: "drain", link: -1 },
    { kind: "router", router: 1.5 },
    { kind: "site", site: 2 },
    { kind: "srlg", srlg: 1 },
    { kind: "interface", router: 0, ifName: "e1" },
  ] as const
  assert.deepEqual(applyFaults(structure, nothing), { nodes: [], links: [], drained: [], unknown: nothing })
})

test("more faults than a question may have are said, not applied", () => {
  const many = Array.from(
    { length: MAX_FAULTS + 1 },
    (_, i) => ({ kind: "router", router: i < MAX_FAULTS ? 1 : 2 }) as const,
  )
  const { nodes, unknown } = applyFaults(structure, many)
  assert.deepEqual([nodes, unknown], [[1], [{ kind: "router", router: 2 }]])
})

const group = (change: Partial<DependencyGroup>): DependencyGroup => ({
  id: "g",
  name: "Access",
  mode: "any",
  k: 0,
  routers: [],
  links: [],
  dependents: [],
  ...change,
})
const lost = (groups: readonly DependencyGroup[], down: readonly number[], cut: readonly number[] = []) =>
  lostByDependence(
    groups,
    (router) => down.includes(router),
    (link) => cut.includes(link),
  )

test("[W5] access any(AGG1, AGG2): AGG1 down suppresses nothing, both down suppress it", () => {
  const [AGG1, AGG2, ACCESS] = [1, 2, 3]
  const access = [group({ mode: "any", routers: [AGG1, AGG2], dependents: [ACCESS] })]
  assert.deepEqual(lost(access, [AGG1]), { broken: [], lost: [] })
  assert.deepEqual(lost(access, [AGG1, AGG2]), { broken: [0], lost: [ACCESS] })
})

test("[W5] all needs every member, k-of-n needs k; links are members as well", () => {
  assert.deepEqual(lost([group({ mode: "all", routers: [1], links: [7], dependents: [3] })], [], [7]).lost, [3])
  assert.deepEqual(lost([group({ mode: "all", routers: [1], links: [7], dependents: [3] })], []).lost, [])
  const twoOfThree = [group({ mode: "kofn", k: 2, routers: [0, 1, 2], dependents: [3] })]
  assert.deepEqual(lost(twoOfThree, [0]).lost, [])
  assert.deepEqual(lost(twoOfThree, [0, 2]).lost, [3])
})

test("[W5] losses spread from group to group, also against their order, and rings end", () => {
  const chain = [group({ routers: [5], dependents: [6] }), group({ routers: [4], dependents: [5] })]
  assert.deepEqual(lost(chain, [4]), { broken: [0, 1], lost: [5, 6] })
  const ring = [group({ mode: "all", routers: [1, 9], dependents: [2] }), group({ routers: [2], dependents: [1] })]
  assert.deepEqual(lost(ring, [9]), { broken: [0, 1], lost: [1, 2] })
  assert.deepEqual(lost([group({ mode: "any" }), group({ mode: "kofn", k: 3 })], [0, 1, 2]).broken, [])
})

test("[W5] with more members down never less is lost", () => {
  const slots = fc.uniqueArray(fc.nat(8), { maxLength: 4 })
  const groups = fc.array(
    fc.record({
      mode: fc.constantFrom("any", "all", "kofn"),
      k: fc.nat(4),
      routers: slots,
      links: slots,
      dependents: slots,
    }),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(groups, slots, slots, fc.nat(8), (list, down, cut, more) => {
      const all = list.map((one) => group(one))
      const before = lost(all, down, cut)
      const after = lost(all, [...down, more], cut)
      for (const router of before.lost) assert.ok(router === more || after.lost.includes(router))
      for (const index of before.broken) assert.ok(after.broken.includes(index))
    }),
    { numRuns: 500 },
  )
})
