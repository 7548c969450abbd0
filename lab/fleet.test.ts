import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { createCipheriv } from "node:crypto"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { test } from "node:test"
import { promisify } from "node:util"
import * as snmp from "net-snmp"
import { Fleet } from "#lab/fleet.ts"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Router, SnmpV3 } from "#lab/isp/model.ts"
import { AGENT_START_MS, BOOT_MS, Network } from "#lab/isp/network.ts"

/** net-snmp of npm and Debian's net-snmp know nothing of the lab: what they understand is SNMP. */
const ANY_PORT = { net: "127.18", snmpPort: 0, apiPort: 0 }
const IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
const SYS_NAME = "1.3.6.1.2.1.1.5.0"

const drawn = generate({ routers: 16, seed: 6 })

/** A lab of 16 whose time only moves when told to. */
const withFleet = async (
  use: (lab: { isp: Isp; network: Network; fleet: Fleet; at: (ms: number) => void }) => Promise<void>,
  change: (router: Router) => Partial<Router> = () => ({}),
): Promise<void> => {
  const isp: Isp = { ...drawn, routers: drawn.routers.map((router) => ({ ...router, ...change(router) })) }
  let now = Date.now()
  const network = new Network(isp, now)
  const fleet = await Fleet.start(network, () => now, ANY_PORT)
  try {
    await use({ isp, network, fleet, at: (ms) => network.advance((now += ms)) })
  } finally {
    fleet.close()
  }
}

const managerOf = (fleet: Fleet, router: Router): snmp.Session => {
  const { address, snmpPort } = fleet.endpoints[router.index]!
  const common = { port: snmpPort, timeout: 5000, retries: 0 }
  if (router.snmp.version === "2c")
    return snmp.createSession(address, router.snmp.community, { ...common, version: snmp.Version2c })
  return snmp.createV3Session(address, managerUser(router.snmp), { ...common, version: snmp.Version3 } as never)
}

const managerUser = (user: SnmpV3): snmp.User =>
  ({
    name: user.user,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: (snmp.AuthProtocols as unknown as Record<string, number>)[user.authProtocol],
    authKey: user.authPassword,
    privProtocol: (snmp.PrivProtocols as unknown as Record<string, number>)[user.privProtocol],
    privKey: user.privPassword,
  }) as never

const get = (session: snmp.Session, oids: string[]): Promise<unknown[]> =>
  new Promise((settle, reject) =>
    session.get(oids, (error, varbinds) =>
      error === null ? settle((varbinds as snmp.Varbind[]).map((one) => one.value)) : reject(error),
    ),
  )

const walk = (session: snmp.Session, root: string): Promise<Map<string, unknown>> =>
  new Promise((settle, reject) => {
    const found = new Map<string, unknown>()
    session.subtree(
      root,
      10,
      (varbinds) => (varbinds as snmp.Varbind[]).forEach((one) => void found.set(one.oid, one.value)),
      (error) => (error == null ? settle(found) : reject(error)),
    )
  })

const v2c: Router["snmp"] = { version: "2c", community: "aurora-demo" }
const v3 = (authProtocol: SnmpV3["authProtocol"], privProtocol: SnmpV3["privProtocol"]): SnmpV3 => ({
  version: "3",
  user: "heliograph",
  authProtocol,
  authPassword: "auth-password-1",
  privProtocol,
  privPassword: "priv-password-1",
})

test("net-snmp walks every table of every kind of device by v2c, and reads the counters that the network has", async () => {
  await withFleet(
    async ({ isp, network, fleet }) => {
      for (const persona of ["routeros7", "routeros6", "frr"]) {
        const router = isp.routers.find((one) => one.persona === persona)!
        const session = managerOf(fleet, router)
        try {
          const all = await walk(session, "1.3.6.1")
          assert.equal(String(all.get(SYS_NAME)), router.name)
          for (const port of router.ports.map((one) => isp.ports[one]!)) {
            const octets = all.get(`${IF_HC_IN_OCTETS}.${port.ifIndex}`) as Buffer
            assert.equal(BigInt(`0x${octets.toString("hex")}`), BigInt(network.inOctets(port.index)))
            assert.equal(String(all.get(`1.3.6.1.2.1.31.1.1.1.1.${port.ifIndex}`)), port.name)
          }
        } finally {
          session.close()
        }
      }
    },
    () => ({ snmp: v2c }),
  )
})

const MANAGER_HAS_DES = ((): boolean => {
  try {
    createCipheriv("des-cbc", Buffer.alloc(8), Buffer.alloc(8))
    return true
  } catch {
    return false
  }
})()

for (const auth of ["md5", "sha", "sha224", "sha256", "sha384", "sha512"] as const)
  for (const priv of ["des", "aes"] as const)
    test(`net-snmp discovers, authenticates and decrypts by v3 with ${auth} and ${priv}`, async (t) => {
      // The agent needs no legacy provider (usm.test.ts proves its DES by a known answer); the manager does.
      if (priv === "des" && !MANAGER_HAS_DES)
        return t.skip("net-snmp cannot do DES with this OpenSSL; enable: NODE_OPTIONS=--openssl-legacy-provider")
      await withFleet(
        async ({ isp, fleet }) => {
          const router = isp.routers[3]!
          const session = managerOf(fleet, router)
          try {
            assert.equal(String((await get(session, [SYS_NAME]))[0]), router.name)
            assert.ok((await walk(session, "1.3.6.1.2.1.2")).size > 50)
          } finally {
            session.close()
          }
        },
        () => ({ snmp: v3(auth, priv) }),
      )
    })

test("net-snmp is refused by v3 with a wrong password, and finds the agent again after it rebooted", async () => {
  await withFleet(
    async ({ isp, network, fleet, at }) => {
      const router = isp.routers[5]!
      const right = managerOf(fleet, router)
      const wrong = managerOf(fleet, { ...router, snmp: { ...v3("sha256", "aes"), authPassword: "something-else" } })
      try {
        await assert.rejects(get(wrong, [SYS_NAME]))
        await get(right, [SYS_NAME])
        network.kill(router.index)
        network.revive(router.index)
        at(BOOT_MS + AGENT_START_MS)
        assert.equal(network.boots[router.index], 2)
        assert.equal(String((await get(right, [SYS_NAME]))[0]), router.name)
      } finally {
        right.close()
        wrong.close()
      }
    },
    () => ({ snmp: v3("sha256", "aes") }),
  )
})

test("a dead router, one behind a cut, and one whose packets are lost do not answer; the others do", async () => {
  await withFleet(
    async ({ isp, network, fleet }) => {
      const silent = new Set([0, 2])
      network.kill(0)
      network.answerLoss[2] = 1
      for (const index of [0, 1, 2, 3]) {
        const router = isp.routers[index]!
        const { address, snmpPort } = fleet.endpoints[index]!
        const session = managerOf(fleet, router)
        // 300 ms: enough on loopback, and an answer that comes later would fail the other half of the test.
        const quick = snmp.createSession(address, "aurora-demo", {
          port: snmpPort,
          version: snmp.Version2c,
          timeout: 300,
          retries: 0,
        })
        try {
          if (silent.has(index)) await assert.rejects(get(quick, [SYS_NAME]), /timed out/)
          else assert.equal(String((await get(session, [SYS_NAME]))[0]), router.name)
        } finally {
          session.close()
          quick.close()
        }
      }
    },
    (router) => (router.index === 2 || router.index === 0 ? { snmp: v2c } : {}),
  )
})

const DEBIAN = ["snmpget", "snmpbulkwalk"].every((tool) => spawnSync(tool, ["-V"]).status === 0)

test("Debian's snmpget and snmpbulkwalk read a device by v2c and by v3", async (t) => {
  if (!DEBIAN) return t.skip("Debian's net-snmp tools are not here; enable: apt-get install snmp")
  await withFleet(
    async ({ isp, fleet }) => {
      const run = promisify(execFile)
      const options = { env: { ...process.env, MIBS: "" } }
      const where = (index: number) => `udp:${fleet.endpoints[index]!.address}:${fleet.endpoints[index]!.snmpPort}`
      const secrets = [
        "-l",
        "authPriv",
        "-u",
        "heliograph",
        "-a",
        "SHA-256",
        "-A",
        "auth-password-1",
        "-x",
        "AES",
        "-X",
        "priv-password-1",
      ]
      for (const [index, credential] of [
        [4, ["-v2c", "-c", "aurora-demo"]],
        [5, ["-v3", ...secrets]],
      ] as const) {
        const one = await run("snmpget", [...credential, "-Oqv", where(index), SYS_NAME], options)
        assert.match(one.stdout, new RegExp(isp.routers[index]!.name))
        const all = await run("snmpbulkwalk", [...credential, "-On", "-Cr25", where(index), "1.3.6.1"], options)
        assert.ok(all.stdout.split("\n").length > 200)
        assert.doesNotMatch(all.stdout, /error|not increasing/i)
      }
    },
    (router) => ({ snmp: router.index === 5 ? v3("sha256", "aes") : v2c }),
  )
})

// ---- what devices send

interface Trap {
  readonly from: string
  readonly varbinds: ReadonlyMap<string, unknown>
}

/** net-snmp's receiver on a free port; it reports a trap only if it could authenticate and read it. */
const trapReceiver = async (): Promise<{ port: number; next: () => Promise<Trap>; close: () => void }> => {
  const port = await freePort()
  const traps: Trap[] = []
  const waiting: Array<(trap: Trap) => void> = []
  const receiver = snmp.createReceiver(
    { port, address: "127.0.0.1", transport: "udp4" },
    (_: unknown, notification: never) => {
      const { pdu, rinfo } = notification as { pdu: { varbinds: snmp.Varbind[] }; rinfo: { address: string } }
      const trap = { from: rinfo.address, varbinds: new Map(pdu.varbinds.map((one) => [one.oid, one.value])) }
      const asker = waiting.shift()
      if (asker === undefined) traps.push(trap)
      else asker(trap)
    },
  )
  receiver.getAuthorizer().addCommunity("aurora-demo")
  receiver.getAuthorizer().addUser(managerUser(v3("sha256", "aes")))
  return {
    port,
    next: async () => traps.shift() ?? new Promise((settle) => waiting.push(settle)),
    close: () => receiver.close(),
  }
}

const freePort = async (): Promise<number> => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1")
  await once(socket, "listening")
  const { port } = socket.address()
  socket.close()
  await once(socket, "close")
  return port
}

const SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
const LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
const LINK_UP = "1.3.6.1.6.3.1.1.5.4"
const COLD_START = "1.3.6.1.6.3.1.1.5.1"
const OSPF_CHANGE = "1.3.6.1.2.1.14.16.2.2"

for (const [name, credential] of [
  ["v2c", v2c],
  ["v3 with authentication and privacy", v3("sha256", "aes")],
] as const)
  test(`a cut sends linkDown from both routers' own addresses at once, and mending sends linkUp: ${name}`, async () => {
    await withFleet(
      async ({ isp, network, fleet }) => {
        const receiver = await trapReceiver()
        try {
          fleet.receivers = { trap: { address: "127.0.0.1", port: receiver.port }, syslog: null }
          const link = isp.links.find((one) => one.kind === "core")!
          for (const [down, trapOid] of [
            [true, LINK_DOWN],
            [false, LINK_UP],
          ] as const) {
            network.setCut(link.index, down)
            const seen = new Map<string, unknown>()
            while (seen.size < 2) {
              const { from, varbinds } = await receiver.next()
              if (varbinds.get(SNMP_TRAP_OID) !== trapOid) continue
              const port = [link.a, link.b]
                .map((one) => isp.ports[one]!)
                .find((one) => fleet.endpoints[one.router]!.address === from)!
              assert.equal(varbinds.get(`1.3.6.1.2.1.2.2.1.1.${port.ifIndex}`), port.ifIndex)
              assert.equal(varbinds.get(`1.3.6.1.2.1.2.2.1.7.${port.ifIndex}`), 1)
              assert.equal(varbinds.get(`1.3.6.1.2.1.2.2.1.8.${port.ifIndex}`), down ? 2 : 1)
              seen.set(from, port.index)
            }
            assert.deepEqual(
              [...seen.values()].map(Number).sort((x, y) => x - y),
              [link.a, link.b].sort((x, y) => x - y),
            )
          }
        } finally {
          receiver.close()
        }
      },
      () => ({ snmp: credential }),
    )
  })

test("FRR says ospfNbrStateChange with the neighbour and its new state; a revived router says coldStart", async () => {
  await withFleet(
    async ({ isp, network, fleet, at }) => {
      const receiver = await trapReceiver()
      try {
        fleet.receivers = { trap: { address: "127.0.0.1", port: receiver.port }, syslog: null }
        const link = isp.links.find((one) => one.kind === "core")!
        const [a, b] = [isp.ports[link.a]!, isp.ports[link.b]!]
        network.setCut(link.index, true)
        const wanted = async (trapOid: string, router: number): Promise<Trap> => {
          for (;;) {
            const trap = await receiver.next()
            if (trap.varbinds.get(SNMP_TRAP_OID) === trapOid && trap.from === fleet.endpoints[router]!.address)
              return trap
          }
        }
        const lost = await wanted(OSPF_CHANGE, a.router)
        const index = `${b.address!.split("/")[0]}.0`
        assert.equal(lost.varbinds.get(`1.3.6.1.2.1.14.10.1.6.${index}`), 1)
        assert.equal(lost.varbinds.get(`1.3.6.1.2.1.14.10.1.3.${index}`), isp.routers[b.router]!.loopback)
        network.setCut(link.index, false)
        at(1000)
        assert.equal((await wanted(OSPF_CHANGE, a.router)).varbinds.get(`1.3.6.1.2.1.14.10.1.6.${index}`), 8)
        network.kill(b.router)
        network.revive(b.router)
        at(BOOT_MS + AGENT_START_MS)
        await wanted(COLD_START, b.router)
      } finally {
        receiver.close()
      }
    },
    () => ({ snmp: v2c, persona: "frr", routeros: null }),
  )
})

test("syslog lines come from the device's address in the format of its system", async () => {
  await withFleet(async ({ isp, network, fleet }) => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1")
    await once(socket, "listening")
    const lines: Array<{ from: string; text: string }> = []
    const arrived = (count: number): Promise<void> =>
      new Promise((settle) => {
        socket.on("message", (datagram, { address }) => {
          lines.push({ from: address, text: datagram.toString() })
          if (lines.length >= count) settle()
        })
      })
    try {
      fleet.receivers = { trap: null, syslog: { address: "127.0.0.1", port: socket.address().port } }
      const link = isp.links.find((one) => one.kind === "core")!
      const all = arrived(4)
      network.setCut(link.index, true)
      await all
      for (const port of [link.a, link.b].map((one) => isp.ports[one]!)) {
        const router = isp.routers[port.router]!
        const [down, ospf] = lines
          .filter(({ from }) => from === fleet.endpoints[port.router]!.address)
          .map(({ text }) => text)
        const far = isp.routers[isp.ports[port.index === link.a ? link.b : link.a]!.router]!
        const wanted = {
          routeros7: [
            `^interface,info ${port.name} link down$`,
            `^route,ospf,info .*router-id: ${far.loopback} state: Full \\} state change to Down$`,
          ],
          routeros6: [
            `^<134>\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d ${router.name} interface,info ${port.name} link down$`,
            `neighbor ${far.loopback}: state change from Full to Down$`,
          ],
          frr: [
            `^<134>1 \\S+Z ${router.name} kernel - - - ${port.name}: NIC Link is Down$`,
            `ospfd - - - AdjChg: Nbr ${far.loopback}\\(default\\) on ${port.name}:`,
          ],
        }[router.persona]
        assert.match(down!, new RegExp(wanted[0]!))
        assert.match(ospf!, new RegExp(wanted[1]!))
      }
    } finally {
      socket.close()
    }
  })
})

test("a taken address is named, with what to do", async () => {
  const socket = createSocket("udp4").bind({ address: "127.18.0.1", port: 0, exclusive: true })
  await once(socket, "listening").catch(() => undefined)
  try {
    const network = new Network(drawn, Date.now())
    await assert.rejects(
      Fleet.start(network, Date.now, { ...ANY_PORT, snmpPort: socket.address().port }),
      /127\.18\.0\.1:\d+ is taken, perhaps by another lab: stop it, or start this one with --net 127\.17/,
    )
  } finally {
    socket.close()
  }
})

test("where 127/8 has no aliases, every router gets a port of 127.0.0.1 and answers there", async () => {
  // 192.0.0.1 is reserved (RFC 7335): no machine of ours has it, so binding fails as it does without aliases.
  const network = new Network(drawn, Date.now())
  const fleet = await Fleet.start(network, Date.now, { ...ANY_PORT, net: "192.0" })
  try {
    assert.ok(fleet.endpoints.every(({ address }) => address === "127.0.0.1"))
    assert.equal(new Set(fleet.endpoints.map(({ snmpPort }) => snmpPort)).size, drawn.routers.length)
    for (const router of drawn.routers.slice(0, 4)) {
      const session = managerOf(fleet, router)
      assert.equal(String((await get(session, [SYS_NAME]))[0]), router.name)
      session.close()
    }
  } finally {
    fleet.close()
  }
})
