/**
 * Two routers, 7 and 6, with the field names of data/routeros/SAMPLES.md, and a poller of the collector with a clock that can
 * be pushed forward: shared by the tests of the RouterOS poller.
 */
import assert from "node:assert/strict"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { Poller } from "#engine/collectors/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import type { PollInput } from "#twin/input.ts"
import type { TestRouter } from "#engine/collectors/routeros/router.fixture.ts"
import { deviceId } from "#protocol/id.ts"
import { metricById } from "#protocol/metric.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { tables } from "#engine/collectors/routeros/router.fixture.ts"

export const SECRET = "Tr0ub4dor&3-secret"
export const target = (router: { readonly port: number }, tls = false): Target => ({
  device: deviceId("01890000-0000-7000-8000-000000000001"),
  name: "r1",
  address: "127.0.0.1",
  pollSeconds: 10,
  snmp: null,
  routeros: { port: router.port, user: "heliograph", password: SECRET, tls },
})

/** A clock whose monotonic time can be pushed forward; everything else is real. */
const makeShiftedClock = (real: Clock.Clock) => {
  let shiftNs = 0n
  const clock: Clock.Clock = {
    ...real,
    currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe(),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe() + shiftNs,
    sleep: (duration) => real.sleep(duration),
  }
  return { clock, forward: (ms: number) => (shiftNs += BigInt(ms) * 1_000_000n) }
}

export type Use = (poller: Poller, forward: (ms: number) => void) => Effect.Effect<unknown, unknown>

export const polling = async (
  router: { readonly port: number },
  use: Use,
  tls = false,
  onPin?: (pin: string) => void,
) => {
  const lines: string[] = []
  const capture = Logger.make(({ message }) => void lines.push(String(message)))
  const program = Effect.gen(function* () {
    const { clock, forward } = makeShiftedClock(yield* Clock.Clock)
    const collector = makeRouterOsCollector({ onPin: (_, pin) => onPin?.(pin) })
    const poller = yield* collector.open(target(router, tls)) ?? assert.fail("no poller")
    yield* Effect.provideService(use(poller, forward), Clock.Clock, clock)
  })
  await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Logger.layer([capture]))))
  return lines
}

/** `metric@entity` -> value, and `fact@entity` -> text. */
export const seen = (input: PollInput): Record<string, number | string> => {
  const out: Record<string, number | string> = {}
  input.metric.forEach((id, row) => {
    const entity = input.entities[input.entity[row] as number]
    out[`${metricById(id)?.name}@${entity}`] = input.value[row] as number
  })
  for (const { entity, fact, text } of input.texts) out[`${fact}@${entity}`] = text
  return out
}

// --- two routers, with the field names of data/routeros/SAMPLES.md

const counters = (n: number) => ({
  "rx-byte": String(n),
  "tx-byte": String(n + 1),
  "rx-packet": String(n + 2),
  "tx-packet": String(n + 3),
  "rx-error": "1",
  "tx-error": "2",
  "rx-drop": "3",
  "tx-drop": "4",
})
const INTERFACES = [
  {
    ".id": "*1",
    name: "ether1",
    type: "ether",
    running: "true",
    disabled: "false",
    comment: "été",
    ...counters(2 ** 33),
  },
  { ".id": "*2", name: "wan: x (eth2)", type: "ether", running: "false", disabled: "true", ...counters(0) },
  { ".id": "*3", name: "bridge", type: "bridge", running: "true", disabled: "false", ...counters(7) },
  { ".id": "*F0", name: "<pppoe-maria>", type: "pppoe-in", running: "true", disabled: "false", ...counters(9) },
]
const RESOURCE = {
  uptime: "1w2d03:04:05",
  "cpu-load": "17",
  "free-memory": "600",
  "total-memory": "1000",
  "free-hdd-space": "50",
  "total-hdd-space": "80",
  "board-name": "CCR2004-1G-12S+2XS",
}
const COMMON = {
  "/system/identity/print": [{ name: "r1\0\0" }],
  "/interface/print": INTERFACES,
  "/interface/ethernet/monitor": [
    {
      name: "ether1",
      status: "link-ok",
      rate: "10Gbps",
      "sfp-module-present": "true",
      "sfp-rx-power": "-7.25",
      "sfp-tx-power": "-2.503dBm",
    },
  ],
  "/system/routerboard/print": [{ routerboard: "true", model: "CCR2004-1G-12S+2XS", "serial-number": "HD208A1B2C3" }],
  "/ip/address/print": [
    { ".id": "*1", address: "10.1.0.1/30", network: "10.1.0.0", interface: "ether1", "actual-interface": "ether1" },
    { ".id": "*2", address: "10.1.1.1/30", network: "10.1.1.0", interface: "bridge", disabled: "true" },
  ],
  "/ipv6/address/print": [
    { ".id": "*1", address: "2001:db8::1/64", interface: "ether1", "actual-interface": "ether1" },
  ],
  "/ip/neighbor/print": [
    {
      interface: "ether1",
      identity: "r2",
      "mac-address": "48:8F:5A:00:00:02",
      "interface-name": "ether3",
      "discovered-by": "cdp,lldp,mndp",
    },
    {
      interface: "ether1,bridge",
      identity: "radio-7",
      "mac-address": "48:8F:5A:00:00:07",
      address: "192.168.88.1",
      "interface-name": "bridge1/wlan60-1",
      "discovered-by": "mndp",
      "software-id": "AB12-CD34",
    },
  ],
  "/interface/bridge/port/print": [{ bridge: "bridge", interface: "wan: x (eth2)", disabled: "false" }],
  "/queue/simple/print": [
    { ".id": "*1", name: "maria", target: "100.64.0.9/32", dropped: "3/4", disabled: "false" },
    { ".id": "*2", name: "<pppoe-joao>", target: "<pppoe-joao>", dropped: "0/0", disabled: "true" },
  ],
  "/queue/tree/print": [{ ".id": "*1", name: "plano-300", parent: "global", dropped: "5" }],
  "/ppp/active/print": [{ name: "maria" }, { name: "joão" }],
  "/ip/dhcp-server/lease/print": [{ address: "10.0.0.2" }],
  "/user/print": [{ name: "heliograph", group: "monitor" }],
  "/user/group/print": [{ name: "monitor", policy: "read,api,!write,!policy,!reboot,!sensitive" }],
}
export const V7 = tables({
  ...COMMON,
  "/system/resource/print": [{ ...RESOURCE, version: "7.18.2 (stable)" }],
  "/system/health/print": [
    { name: "cpu-temperature", value: "51", type: "C" },
    { name: "board-temperature1", value: "38.5", type: "C" },
    { name: "fan1-speed", value: "4500", type: "RPM" },
    { name: "psu1-voltage", value: "not-present", type: "V" },
  ],
  "/routing/ospf/neighbor/print": [
    { instance: "v2", area: "bb", address: "10.1.0.2", "router-id": "10.255.0.2", state: "Full", adjacency: "41m28s" },
    { instance: "v2", area: "bb", address: "10.1.9.2", "router-id": "10.255.0.2", state: "Init" },
    { instance: "v2", area: "bb", address: "10.1.1.2", "router-id": "10.255.0.3", state: "2-Way" },
    { instance: "v2", area: "bb", address: "10.1.2.2", "router-id": "0.0.0.0", state: "Down" },
  ],
  "/routing/bgp/session/print": [
    {
      name: "t-1",
      "remote.address": "100.2.2.0@vrf1",
      "remote.as": "65006",
      established: "true",
      uptime: "15m8s180ms",
      "prefix-count": "6",
    },
    { name: "t-2", "remote.address": "100.2.2.0@vrf1", "remote.as": "65006" },
    { name: "u-1", "remote.address": "fe80::1%ether1", "remote.as": "65007" },
  ],
  "/routing/bgp/peer/print": "no such command prefix",
})
export const V6 = tables({
  ...COMMON,
  "/system/resource/print": [{ ...RESOURCE, version: "6.49.10 (long-term)" }],
  "/system/health/print": [{ voltage: "24.1", temperature: "33", "cpu-temperature": "60" }],
  "/routing/ospf/neighbor/print": [
    {
      instance: "default",
      "router-id": "10.255.0.2",
      address: "10.1.0.2",
      interface: "ether1",
      state: "Full",
      adjacency: "6h8m46s",
    },
  ],
  "/routing/bgp/peer/print": [
    {
      name: "p1",
      "remote-address": "100.2.2.0",
      "remote-as": "65006",
      state: "established",
      uptime: "1d",
      "prefix-count": "6",
    },
    { name: "p2", "remote-address": "100.2.2.1", "remote-as": "65007", state: "active" },
    { name: "p3", "remote-address": "100.2.2.2", "remote-as": "65008", disabled: "true" },
  ],
  "/routing/bgp/session/print": "no such command prefix",
})

export const asked = (router: TestRouter, path: string): number =>
  router.seen.filter((words) => words[0] === path).length
