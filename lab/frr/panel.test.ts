/** The cables as text: who is plugged in where, and who sees light. Without root. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { FRR_ISP } from "#lab/frr/isp.ts"
import { cableLines, lightLines, PANEL, plugLines } from "#lab/frr/panel.ts"

const INTERFACE_NAME_MAX = 15

test("every end of every link has a port of its own in the panel, and the two of a link one bridge", () => {
  const plugs = plugLines(FRR_ISP, (router) => `hg-${router}`)
  const ports = plugs.map((line) => /^link add (\S+) netns (\S+) type veth peer name (\S+) netns (\S+)$/.exec(line))
  assert.equal(new Set(ports.map((found) => found?.[3])).size, 2 * FRR_ISP.links.length)
  assert.deepEqual(
    ports.map((found) => `${found?.[2]} ${found?.[1]}`),
    FRR_ISP.links.flatMap(({ a, b }) => [a, b].map((end) => `hg-${end.router} ${end.interface}`)),
  )
  assert.ok(ports.every((found) => found?.[4] === PANEL && (found[3]?.length ?? 99) <= INTERFACE_NAME_MAX))
  const cables = cableLines(FRR_ISP)
  for (const [index, found] of ports.entries())
    assert.ok(cables.includes(`link set ${found?.[3]} master cable${index >> 1}`))
  assert.equal(cables.filter((line) => line.includes("group_fwd_mask 0x4000")).length, FRR_ISP.links.length)
})

test("an end sees light exactly while the cable is whole and the other end sends", () => {
  const link = FRR_ISP.links[3]
  assert.ok(link)
  const lines = (a: boolean, b: boolean, isCut: boolean): readonly string[] =>
    lightLines(FRR_ISP, link, { a, b, isCut })
  assert.deepEqual(lines(true, true, false), ["link set to3a up", "link set to3b up"])
  assert.deepEqual(lines(false, true, false), ["link set to3a up", "link set to3b down"])
  assert.deepEqual(lines(true, false, false), ["link set to3a down", "link set to3b up"])
  assert.deepEqual(lines(true, true, true), ["link set to3a down", "link set to3b down"])
})
