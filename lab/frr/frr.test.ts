/**
 * Twelve real routers on this machine, heard by the engine's own collectors: everything they should tell is there, a cut
 * is told from both ends and mended again, a dead router falls silent, and afterwards nothing is left behind.
 */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { BGP_STATES, metricId, OSPF_STATES } from "#protocol/metric.ts"
import { freePort } from "#lab/drive/child.ts"
import { bgpPeers, FRR_ISP, linkBetween, MANAGEMENT, ospfNeighbours, portsOf, routerNamed } from "#lab/frr/isp.ts"
import { openNetwork } from "#lab/frr/network.ts"
import { FrrRefused } from "#lab/frr/power.ts"
import { startRecorder } from "#lab/frr/recorder.fixture.ts"
import { OTHER_LAB_MS, SETTLE_MS } from "#lab/frr/scene.ts"
import { run, whyNot } from "#lab/frr/shell.ts"
import { bringUp, takeDown } from "#lab/frr/up.ts"

const POLL_SECONDS = 2
const TOLD_MS = 30_000
/** Costs are asked every five minutes: a busy machine that loses the first answer gets the next one. */
const COSTS_MS = 330_000
const FULL = OSPF_STATES.indexOf("full")
const ESTABLISHED = BGP_STATES.indexOf("established")

const stateFile = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), "heliograph-frr-"))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, "frr.json")
}

test("a command without a lab, and names that are not there, are refused with words that say what to do", (t) => {
  assert.throws(() => openNetwork(stateFile(t)), /start one: npm run lab -- frr up/)
})

test(
  "twelve real routers: every state is read, a cut and a power failure are told from all sides, nothing is left",
  { timeout: 840_000 },
  async (t) => {
    const why = await whyNot()
    if (why !== null) return t.skip(why)
    const file = stateFile(t)
    const ports = { trap: await freePort(), syslog: await freePort() }
    const network = await bringUp({
      stateFile: file,
      receivers: { trap: `${MANAGEMENT.host}:${ports.trap}`, syslog: `${MANAGEMENT.host}:${ports.syslog}` },
      isTied: true,
      waitMs: OTHER_LAB_MS,
    })
    t.after(() => takeDown(file))
    await network.settled(SETTLE_MS)
    const recorder = await startRecorder(network.state().secrets, ports, POLL_SECONDS)
    t.after(() => recorder.stop())
    const { until, value } = recorder
    const loopback = (name: string): string => routerNamed(FRR_ISP, name)?.loopback ?? "?"
    const isFull = (router: string, far: string): boolean =>
      value(router, `ospf:${loopback(far)}`, "ospf.neighbor.state") === FULL

    /** Told once in five minutes; null = never. */
    const costOf = (router: string, name: string): number | null => {
      const polls = recorder.inputs.flatMap((input) =>
        input.kind === "poll" && input.device === router ? [input] : [],
      )
      return polls.reduce<number | null>((newest, { entities, entity, metric, value }) => {
        const row = metric.findIndex(
          (id, i) => id === metricId("interface.ospf_cost") && entities[entity[i]!] === `if:${name}`,
        )
        return value[row] ?? newest
      }, null)
    }

    await t.test(
      "all twelve are polled, v2c and v3, with every interface, OSPF cost and neighbour, and BGP peer they have",
      async () => {
        const lacking = (): string[] =>
          FRR_ISP.routers.flatMap(({ name }) => [
            ...portsOf(FRR_ISP, name).flatMap(({ own }) =>
              value(name, `if:${own.interface}`, "interface.oper_up") === 1 ? [] : [`${name} ${own.interface}`],
            ),
            ...portsOf(FRR_ISP, name).flatMap(({ link, own }) =>
              costOf(name, own.interface) === link.cost ? [] : [`${name} ${own.interface} cost`],
            ),
            ...ospfNeighbours(FRR_ISP, name).flatMap((far) => (isFull(name, far) ? [] : [`${name} ospf ${far}`])),
            ...bgpPeers(FRR_ISP, name).flatMap(({ remote, remoteAddress }) =>
              value(name, `bgp:${remoteAddress}`, "bgp.peer.state") === ESTABLISHED ? [] : [`${name} bgp ${remote}`],
            ),
          ])
        await until(() => lacking().length === 0, COSTS_MS, "all states").catch((cause: unknown) => {
          throw new Error(`lacking: ${lacking().join(", ")}`, { cause })
        })
      },
    )

    await t.test(
      "a shut link is told by trap and syslog of both ends, and polls agree; mended, all is as before",
      async () => {
        const link = linkBetween(FRR_ISP, "c1", "c2")
        assert.ok(link)
        const from = recorder.inputs.length
        await assert.rejects(
          network.cut("c1", "a4"),
          (cause) => cause instanceof FrrRefused && /no link joins c1 and a4/.test(cause.message),
        )
        await network.shut("c1", "c2")
        await assert.rejects(network.cut("c1", "c2"), /already shut, at c1/)
        const told = (device: string, remote: string) => {
          const since = recorder.inputs.slice(from).filter((input) => input.device === device)
          return (
            since.some((input) => input.kind === "trap" && input.trap === "linkDown") &&
            since.some(
              (input) =>
                input.kind === "trap" &&
                input.trap === "ospfNbrStateChange" &&
                input.remote === loopback(remote) &&
                input.state === "down",
            ) &&
            since.some(
              ({ kind, ...rest }) =>
                kind === "syslog" &&
                "event" in rest &&
                rest.event?.type === "ospf" &&
                rest.event.remote === loopback(remote) &&
                rest.event.state === "down",
            )
          )
        }
        await until(() => told("c1", "c2") && told("c2", "c1"), TOLD_MS, "traps and syslog of both ends")
        const isUp = ({ router, interface: name }: typeof link.a): boolean =>
          value(router, `if:${name}`, "interface.oper_up") === 1
        await until(() => !isUp(link.a) && !isUp(link.b) && !isFull("c1", "c2"), TOLD_MS, "polls of both ends")
        assert.equal(value("c1", `if:${link.a.interface}`, "interface.admin_up"), 0, "c1 shut it")
        assert.equal(value("c2", `if:${link.b.interface}`, "interface.admin_up"), 1, "c2 did not")
        await network.mend("c1", "c2")
        await until(() => isUp(link.a) && isUp(link.b) && isFull("c1", "c2") && isFull("c2", "c1"), TOLD_MS, "mended")
      },
    )

    await t.test("a cut cable takes the light from both ends, and nobody has shut a port", async () => {
      const link = linkBetween(FRR_ISP, "c3", "c4")
      assert.ok(link)
      const ends = [link.a, link.b].map(({ router, interface: name }) => [router, `if:${name}`] as const)
      const are = (metric: string, wanted: number): boolean =>
        ends.every(([router, entity]) => value(router, entity, metric) === wanted)
      await network.cut("c4", "c3")
      await until(() => are("interface.oper_up", 0) && !isFull("c3", "c4"), TOLD_MS, "both ends dark")
      assert.ok(are("interface.admin_up", 1), "open at both ends")
      await network.mend("c3", "c4")
      await until(() => are("interface.oper_up", 1) && isFull("c3", "c4"), TOLD_MS, "mended")
    })

    await t.test(
      "a router without power is unreachable, its neighbours and its upstream's border tell; revived, it answers",
      async () => {
        const from = recorder.inputs.length
        await network.kill("u1")
        const since = () => recorder.inputs.slice(from)
        await until(
          () =>
            since().some((input) => input.kind === "unreachable" && input.device === "u1") &&
            since().some(
              (input) => input.kind === "trap" && input.device === "b1" && input.trap === "bgpBackwardTransition",
            ),
          TOLD_MS,
          "u1 is gone",
        )
        await assert.rejects(network.kill("u1"), /no power already/)
        const revived = recorder.inputs.length
        await network.revive("u1")
        await until(
          () => recorder.inputs.slice(revived).some((input) => input.kind === "poll" && input.device === "u1"),
          TOLD_MS * 2,
          "u1 answers",
        )
      },
    )

    await t.test("nothing that the routers sent was refused", () => {
      const { trap, syslog } = recorder.stats
      assert.deepEqual(
        Object.entries(trap.dropped).filter(([, count]) => count > 0),
        [],
      )
      assert.equal(trap.defects + trap.lost + syslog.unknownSource + syslog.lost, 0)
    })

    await t.test("down leaves no namespace, no interface and no process", async () => {
      await recorder.stop()
      await takeDown(file)
      assert.doesNotMatch(await run("ip", ["netns", "list"]), /^hg-/m)
      assert.doesNotMatch(await run("ip", ["-o", "link"]), /hg-/)
      assert.throws(() => openNetwork(file), FrrRefused)
    })
  },
)
