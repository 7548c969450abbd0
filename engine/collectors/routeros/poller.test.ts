import assert from "node:assert/strict"
import { test } from "node:test"
import * as Effect from "effect/Effect"
import { RouterOSAPI } from "node-routeros"
import type { Target } from "#engine/collectors/target.ts"
import type { Handler, TestRouter } from "#engine/collectors/routeros/router.fixture.ts"
import { makeCertificate } from "#engine/collectors/routeros/certificate.fixture.ts"
import { connectScoped } from "#engine/collectors/routeros/client.ts"
import { makeRouterOsCollector } from "#engine/collectors/routeros/poller.ts"
import { firstOf, startRouter, tables } from "#engine/collectors/routeros/router.fixture.ts"
import type { Use } from "#engine/collectors/routeros/poller.fixture.ts"
import { asked, polling, SECRET, seen, target, V6, V7 } from "#engine/collectors/routeros/poller.fixture.ts"

const DEVICE = {
  "device.api.up@": 1,
  "device.uptime_seconds@": 788_645,
  "device.cpu_pct@": 17,
  "device.mem_used_bytes@": 400,
  "device.mem_total_bytes@": 1_000,
  "device.disk_used_bytes@": 30,
  "device.identity@": "r1",
  "device.model@": "CCR2004-1G-12S+2XS",
  "device.serial@": "HD208A1B2C3",
  "pppoe.sessions.active@": 2,
  "queue.simple.count@": 1,
  "queue.tree.count@": 1,
  "dhcp.leases.active@": 1,
}
const port = (name: string, up: number, admin: number, n: number) => ({
  [`interface.oper_up@if:${name}`]: up,
  [`interface.admin_up@if:${name}`]: admin,
  [`interface.rx_bytes_total@if:${name}`]: n,
  [`interface.tx_bytes_total@if:${name}`]: n + 1,
  [`interface.rx_packets_total@if:${name}`]: n + 2,
  [`interface.tx_packets_total@if:${name}`]: n + 3,
  [`interface.rx_errors_total@if:${name}`]: 1,
  [`interface.tx_errors_total@if:${name}`]: 2,
  [`interface.rx_discards_total@if:${name}`]: 3,
  [`interface.tx_discards_total@if:${name}`]: 4,
  [`interface.counter_bits@if:${name}`]: 64,
})
const PORTS = {
  ...port("ether1", 1, 1, 2 ** 33),
  ...port("wan: x (eth2)", 0, 0, 0),
  ...port("bridge", 1, 1, 7),
  "interface.speed_bps@if:ether1": 10e9,
  "optical.rx_power_dbm@if:ether1": -7.25,
  "optical.tx_power_dbm@if:ether1": -2.503,
  "interface.alias@if:ether1": "été",
  "interface.addresses@if:ether1": "10.1.0.1/30, 2001:db8::1/64",
  "lldp.neighbor.interface@lldp:ether1": "ether1",
  "lldp.neighbor.system_name@lldp:ether1": "r2",
  "lldp.neighbor.port@lldp:ether1": "ether3",
  "lldp.neighbor.chassis@lldp:ether1": "48:8f:5a:00:00:02",
  "interface.lower_layers@if:bridge": "wan: x (eth2)",
  "discovery.neighbor.interface@mndp:ether1": "ether1",
  "discovery.neighbor.system_name@mndp:ether1": "radio-7",
  "discovery.neighbor.port@mndp:ether1": "wlan60-1",
  "discovery.neighbor.mac@mndp:ether1": "48:8f:5a:00:00:07",
  "discovery.neighbor.address@mndp:ether1": "192.168.88.1",
}

test("[C1] [C3] a v7 router: everything under the registry's names, nothing else", async () => {
  await using router = await startRouter(V7)
  await polling(router, (poller) =>
    Effect.map(poller.poll(9_000), (input) => {
      assert.deepEqual(seen(input), {
        ...DEVICE,
        ...PORTS,
        "device.os_version@": "RouterOS 7.18.2",
        "device.temp_c@": 38.5,
        "ospf.neighbor.state@ospf:10.255.0.2": 7,
        "ospf.neighbor.uptime_seconds@ospf:10.255.0.2": 2_488,
        "ospf.neighbor.interface@ospf:10.255.0.2": "ether1",
        "ospf.neighbor.state@ospf:10.255.0.3": 3,
        "bgp.peer.state@bgp:100.2.2.0": 5,
        "bgp.peer.uptime_seconds@bgp:100.2.2.0": 908.18,
        "bgp.peer.prefixes_in@bgp:100.2.2.0": 6,
        "bgp.peer.remote_as@bgp:100.2.2.0": "65006",
        "bgp.peer.state@bgp:fe80::1%ether1": 0,
        "bgp.peer.remote_as@bgp:fe80::1%ether1": "65007",
      })
      const kinds = ["bgp.peer", "discovery.neighbor", "interface", "lldp.neighbor", "ospf.neighbor"]
      assert.deepEqual([...input.complete].sort(), kinds)
      assert.ok(input.startedMs <= input.atMs && Number.isInteger(input.atMs))
    }),
  )
})

test("[C1] a v6 router: the same names from the other menus", async () => {
  await using router = await startRouter(V6)
  await polling(router, (poller) =>
    Effect.map(poller.poll(9_000), (input) =>
      assert.deepEqual(seen(input), {
        ...DEVICE,
        ...PORTS,
        "device.os_version@": "RouterOS 6.49.10",
        "device.temp_c@": 33,
        "device.voltage_v@": 24.1,
        "ospf.neighbor.state@ospf:10.255.0.2": 7,
        "ospf.neighbor.uptime_seconds@ospf:10.255.0.2": 22_126,
        "ospf.neighbor.interface@ospf:10.255.0.2": "ether1",
        "bgp.peer.state@bgp:100.2.2.0": 5,
        "bgp.peer.uptime_seconds@bgp:100.2.2.0": 86_400,
        "bgp.peer.prefixes_in@bgp:100.2.2.0": 6,
        "bgp.peer.remote_as@bgp:100.2.2.0": "65006",
        "bgp.peer.state@bgp:100.2.2.1": 2,
        "bgp.peer.remote_as@bgp:100.2.2.1": "65007",
      }),
    ),
  )
  assert.ok(!router.seen.some(([path]) => path === "/routing/bgp/session/print"))
})

test("[C3] of a router that SNMP polls too, neighbours and addresses come from SNMP alone", async () => {
  await using router = await startRouter(V7)
  const both: Target = { ...target(router), snmp: { version: "2c", port: 161, community: "public" } }
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const poller = yield* makeRouterOsCollector().open(both) ?? assert.fail("no poller")
        const facts = Object.keys(seen(yield* poller.poll(9_000)))
        assert.deepEqual(
          facts.filter((name) => /^(lldp|discovery|interface.addresses)/.test(name)),
          [],
        )
      }),
    ),
  )
  assert.equal(asked(router, "/ip/neighbor/print"), 0)
})

test("[C6] one session and one login for many polls; slow things once a minute; light too; the speed of a port is kept", async () => {
  await using router = await startRouter(V7)
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      for (let i = 0; i < 6; i++) {
        yield* poller.poll(9_000)
        forward(10_000)
      }
      const first = yield* poller.poll(9_000)
      assert.equal("interface.alias@if:ether1" in seen(first), true)
      const second = seen(yield* poller.poll(9_000))
      assert.equal("interface.alias@if:ether1" in second, false)
      assert.equal(second["interface.speed_bps@if:ether1"], 10e9)
    }),
  )
  assert.equal(router.connections(), 1)
  assert.equal(asked(router, "/login"), 1)
  assert.equal(asked(router, "/interface/print"), 8)
  assert.equal(asked(router, "/system/identity/print"), 2)
  assert.equal(asked(router, "/interface/ethernet/monitor"), 2)
  assert.equal(asked(router, "/user/print"), 1)
  assert.equal(asked(router, "/queue/simple/print"), 2)
  assert.equal(asked(router, "/interface/bridge/port/print"), 1)
  assert.equal(asked(router, "/interface/vlan/print"), 0, "there is no VLAN")
})

test("[C1] what the router has not is left out, not claimed as complete, and not asked again for ten minutes", async () => {
  await using router = await startRouter(
    firstOf(
      tables({ "/routing/ospf/neighbor/print": "no such command prefix", "/ppp/active/print": "no such command" }),
      V7,
    ),
  )
  await polling(router, (poller, forward) =>
    Effect.gen(function* () {
      for (let i = 0; i < 3; i++) {
        const input = yield* poller.poll(9_000)
        assert.ok(!input.complete.includes("ospf.neighbor"))
        assert.ok(!("pppoe.sessions.active@" in seen(input)))
      }
      assert.equal(asked(router, "/ppp/active/print"), 1)
      forward(600_001)
      yield* poller.poll(9_000)
      assert.equal(asked(router, "/ppp/active/print"), 2)
    }),
  )
})

test("[C6] a hung menu costs its own facts only; a hung router costs the poll, within its deadline", async () => {
  const hang =
    (path: string): Handler =>
    (words) =>
      words[0] === path
  await using router = await startRouter(firstOf(hang("/routing/ospf/neighbor/print"), V7))
  await polling(router, (poller) =>
    Effect.map(poller.poll(4_000), (input) => {
      assert.ok(!input.complete.includes("ospf.neighbor"))
      assert.ok(input.complete.includes("interface"))
    }),
  )
  await using hung = await startRouter(firstOf(hang("/interface/print"), V7))
  await polling(hung, (poller) =>
    Effect.gen(function* () {
      const started = performance.now()
      const error = yield* Effect.flip(poller.poll(1_500))
      assert.ok(performance.now() - started >= 1_000)
      assert.equal(error.reason, "timeout")
      assert.match(error.detail, /interface\/print/)
    }),
  )
})

test("[C6] a broken session is opened again by the next poll, not before", async () => {
  await using router = await startRouter(V7)
  await polling(router, (poller) =>
    Effect.gen(function* () {
      yield* poller.poll(9_000)
      router.resetAll()
      while (router.open() > 0) yield* Effect.sleep(1)
      assert.equal(router.connections(), 1)
      // Its end may not have been read yet: then this poll fails, as data, and the one after opens the session.
      const error = yield* Effect.match(poller.poll(9_000), {
        onSuccess: () => null,
        onFailure: ({ reason }) => reason,
      })
      assert.ok(error === null || error === "refused")
      yield* poller.poll(9_000)
      assert.equal(router.connections(), 2)
    }),
  )
})

test("a wrong password is `auth`, a missing permission `protocol`, and neither repeats the password", async () => {
  const echo: Handler = (words, peer) => {
    if (words[0] !== "/login") return false
    peer.reply("!trap", `=message=invalid user name or password: ${words.join(" ")}`)
    return true
  }
  for (const [handler, reason] of [
    [echo, "auth"],
    [firstOf(tables({ "/interface/print": "not enough permissions (9)" }), V7), "protocol"],
  ] as const) {
    await using router = await startRouter(handler)
    await polling(router, (poller) =>
      Effect.map(Effect.flip(poller.poll(9_000)), (error) => {
        assert.equal(error.reason, reason)
        assert.ok(!JSON.stringify(error).includes(SECRET))
      }),
    )
  }
})

test("a user that may do more than read is warned about, once", async () => {
  await using router = await startRouter(
    firstOf(tables({ "/user/group/print": [{ name: "monitor", policy: "read,write,api,reboot,!policy" }] }), V7),
  )
  const lines = await polling(router, (poller) => Effect.andThen(poller.poll(9_000), poller.poll(9_000)))
  assert.deepEqual(lines.filter((line) => line.includes("API user")).length, 1)
  assert.match(lines.join("\n"), /r1: the API user may also write, reboot/)
})

test("a certificate is pinned on first use: the same router is polled on, another one at its address is not", async () => {
  const pins: string[] = []
  const router = await startRouter(V7, makeCertificate("one"))
  const impostor = (): Promise<TestRouter> => startRouter(V7, makeCertificate("two"), router.port)
  const use: Use = (poller) =>
    Effect.gen(function* () {
      yield* poller.poll(9_000)
      yield* poller.poll(9_000)
      yield* Effect.promise(() => router[Symbol.asyncDispose]())
      const other = yield* Effect.promise(impostor)
      const failures = [yield* Effect.flip(poller.poll(9_000)), yield* Effect.flip(poller.poll(9_000))]
      // The first may find the old session's end before it opens a new one.
      assert.equal(failures[1]?.reason, "auth")
      assert.match(failures[1]?.detail ?? "", /certificate changed/)
      assert.deepEqual(other.seen, [])
      yield* Effect.promise(() => other[Symbol.asyncDispose]())
    })
  await polling(router, use, true, (pin) => pins.push(pin))
  assert.equal(pins.length, 1)
})

test("node-routeros reads the same rows from the same router", async () => {
  // The independent oracle of notes/lab.md: it works as long as no `!empty` comes and names are ASCII.
  await using router = await startRouter(V6)
  const oracle = new RouterOSAPI({ host: "127.0.0.1", port: router.port, user: "heliograph", password: SECRET })
  await oracle.connect()
  const options = {
    address: "127.0.0.1",
    credential: { port: router.port, user: "u", password: "p", tls: false },
    deadlineMs: 9_000,
  }
  for (const path of [
    "/system/resource/print",
    "/routing/bgp/peer/print",
    "/ppp/active/print",
    "/system/health/print",
    "/ip/neighbor/print",
    "/queue/simple/print",
    "/queue/tree/print",
    "/interface/bridge/port/print",
  ]) {
    const theirs = (await oracle.write(path)).map((row: Record<string, string>) => ({ ...row }))
    const ours = await Effect.runPromise(
      Effect.scoped(Effect.flatMap(connectScoped(options), (session) => session.command([path], 9_000))),
    )
    const rows = ours.rows.map((row) => Object.fromEntries(row))
    assert.equal(theirs.length, rows.length)
    if (path !== "/ppp/active/print") assert.deepEqual(theirs, rows)
  }
  await oracle.close()
})
