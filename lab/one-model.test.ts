/**
 * [C3] One model: the same device, asked by SNMP and by the RouterOS API, has the same entities under the same keys, and
 * what both tell agrees within 2 %. Both collectors speak to the lab's routers over real sockets; the lab's clock moves
 * five minutes in ten steps, so that the two answers of a step are about one moment and the counters really count.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { makeSnmpCollector } from "#engine/collectors/snmp/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import { Lab } from "#lab/lab.ts"
import type { Router } from "#lab/isp/model.ts"
import { deviceId } from "#protocol/id.ts"
import { metricById, TEXT_FACTS } from "#protocol/metric.ts"

const STEPS = 10
const STEP_MS = 30_000
/** Share by which two readings of one value may differ. */
const TOLERANCE = 0.02
/** Sources of their own: who answers is no property of the device. */
const OWN = ["device.snmp.up", "device.api.up"]

/** One poll as plain look-ups: `entity metric` to value, `entity fact` to text. */
interface Picture {
  readonly entities: ReadonlySet<string>
  readonly complete: readonly string[]
  readonly values: ReadonlyMap<string, number>
  readonly texts: ReadonlyMap<string, string>
}

const targetOf = (lab: Lab, router: Router): Target => {
  const { address, snmpPort, apiPort } = lab.fleet.endpoints[router.index]!
  assert.ok(router.routeros !== null && apiPort !== null)
  return {
    device: deviceId(router.name),
    name: router.name,
    address,
    pollSeconds: 30,
    snmp: { ...router.snmp, port: snmpPort },
    routeros: { ...router.routeros, port: apiPort, tls: false },
  }
}

/** Asks one device by both, whenever called. */
const openBoth = async (t: TestContext, target: Target): Promise<() => Promise<readonly [Picture, Picture]>> => {
  const scope = Scope.makeUnsafe()
  t.after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const open = async (collector: ReturnType<typeof makeSnmpCollector> | ReturnType<typeof makeRouterOsCollector>) => {
    const opened = collector.open(target)
    assert.ok(opened !== null)
    const poller = await Effect.runPromise(Scope.provide(opened, scope))
    const texts = new Map<string, string>()
    return async (): Promise<Picture> => {
      const poll = await Effect.runPromise(poller.poll(10_000))
      // Texts travel only when they change.
      for (const { entity, fact, text } of poll.texts) texts.set(`${entity} ${fact}`, text)
      const values = new Map<string, number>()
      for (let i = 0; i < poll.value.length; i++)
        values.set(`${poll.entities[poll.entity[i]!]} ${metricById(poll.metric[i]!)!.name}`, poll.value[i]!)
      return { entities: new Set(poll.entities), complete: poll.complete, values, texts }
    }
  }
  const [snmp, api] = [await open(makeSnmpCollector()), await open(makeRouterOsCollector())]
  return () => Promise.all([snmp(), api()])
}

/** Two RouterOS 7, one of them a BNG, and one RouterOS 6. */
const chosen = ({ isp }: Lab): readonly Router[] => {
  const of = (wanted: (router: Router) => boolean): Router => {
    const router = isp.routers.find(wanted)
    assert.ok(router !== undefined, "the ISP of this seed has no such router")
    return router
  }
  return [
    of(({ persona, roles }) => persona === "routeros7" && roles[0] === "core"),
    of(({ persona, roles }) => persona === "routeros7" && roles[0] === "bng"),
    of(({ persona }) => persona === "routeros6"),
  ]
}

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))

test("[C3] one model: by SNMP and by API a device has the same interfaces, and values agree within 2 % over 5 minutes", async (t) => {
  let nowMs = Date.UTC(2026, 0, 2, 20, 0, 0)
  const lab = await Lab.start({ routers: 24, seed: 5, net: "127.29", snmpPort: 0, apiPort: 0, clock: () => nowMs })
  t.after(() => lab.close())
  let compared = 0
  const kinds = new Set<string>()
  for (const router of chosen(lab)) {
    const ask = await openBoth(t, targetOf(lab, router))
    const octets: number[] = []
    for (let step = 0; step < STEPS; step++) {
      nowMs += STEP_MS
      lab.touch()
      const [snmp, api] = await ask()
      const interfaces = ({ entities }: Picture): readonly string[] =>
        [...entities].filter((key) => key.startsWith("if:")).sort()
      assert.deepEqual(interfaces(snmp), interfaces(api), `${router.name}: the same interfaces under the same keys`)
      assert.ok(snmp.complete.includes("interface") && api.complete.includes("interface"))
      for (const [name, value] of snmp.values) {
        const other = api.values.get(name)
        const metric = name.slice(name.lastIndexOf(" ") + 1)
        if (other === undefined || OWN.includes(metric)) continue
        assert.ok(near(value, other), `${router.name} ${name}: ${value} by SNMP, ${other} by API`)
        kinds.add(metric)
        compared++
      }
      for (const [name, text] of snmp.texts) {
        const other = api.texts.get(name)
        if (other === undefined || !TEXT_FACTS.some((fact) => name.endsWith(` ${fact}`))) continue
        assert.equal(text, other, `${router.name} ${name}`)
      }
      octets.push(
        [...snmp.values].reduce((sum, [name, value]) => sum + (name.endsWith("rx_bytes_total") ? value : 0), 0),
      )
    }
    for (let step = 1; step < STEPS; step++) assert.ok(octets[step]! > octets[step - 1]!, "the counters count")
  }
  t.diagnostic(`${compared} values of ${kinds.size} metrics agree: ${[...kinds].sort().join(" ")}`)
  assert.ok(compared > 1_000)
  for (const metric of [
    "device.uptime_seconds",
    "device.cpu_pct",
    "device.mem_used_bytes",
    "device.temp_c",
    "device.voltage_v",
  ])
    assert.ok(kinds.has(metric), `${metric} was compared`)
  for (const metric of ["oper_up", "admin_up", "rx_bytes_total", "tx_bytes_total", "rx_packets_total", "speed_bps"])
    assert.ok(kinds.has(`interface.${metric}`), `interface.${metric} was compared`)
  assert.ok(kinds.has("pppoe.sessions.active"), "subscribers were compared")
})
