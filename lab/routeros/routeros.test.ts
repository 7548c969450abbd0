import assert from "node:assert/strict"
import { once } from "node:events"
import { createRequire } from "node:module"
import { connect } from "node:net"
import type { Socket } from "node:net"
import { test } from "node:test"
import fc from "fast-check"
import type { RouterOSAPI as NodeRouterOs } from "node-routeros"
import { generate } from "#lab/isp/generate.ts"
import type { Isp, Persona, Router } from "#lab/isp/model.ts"
import { AGENT_START_MS, BOOT_MS, Network } from "#lab/isp/network.ts"
import { ApiProtocolError, SentenceDecoder, encodeLength, encodeSentence } from "#lab/routeros/codec.ts"
import { parseQuery } from "#lab/routeros/query.ts"
import { ApiServer } from "#lab/routeros/server.ts"
import { atLeast, duration, moment } from "#lab/routeros/text.ts"

const { RouterOSAPI } = createRequire(import.meta.url)("node-routeros") as typeof import("node-routeros")
type Client = NodeRouterOs

// ---- codec

test("whatever TCP does to the stream, the sentences come out as they went in", () => {
  const word = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.integer({ min: 100, max: 20_000 }).map((length) => "x".repeat(length)),
  )
  const sentences = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(sentences, fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }), (wanted, sizes) => {
      const stream = Buffer.concat(wanted.map(encodeSentence))
      const decoder = new SentenceDecoder()
      const got: (readonly string[])[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = sizes[i % sizes.length]!
        got.push(...decoder.push(stream.subarray(at, at + size)))
        at += size
      }
      assert.deepEqual(
        got,
        wanted.map((words) => words.map((text) => Buffer.from(text).toString())),
      )
    }),
    { numRuns: 100 },
  )
})

test("lengths are encoded as the manual's table says", () => {
  for (const [length, hex] of [
    [0, "00"],
    [0x7f, "7f"],
    [0x80, "8080"],
    [0x3fff, "bfff"],
    [0x4000, "c04000"],
    [0x1f_ffff, "dfffff"],
    [0x20_0000, "e0200000"],
    [0xfff_ffff, "efffffff"],
    [0x1000_0000, "f010000000"],
  ] as const)
    assert.equal(encodeLength(length).toString("hex"), hex)
})

test("a stream of huge words, endless sentences or control bytes is refused without keeping it", () => {
  for (const start of ["f0ffffffff", "efffffff", "ff", "dfffff"])
    assert.throws(() => new SentenceDecoder().push(Buffer.from(start, "hex")), ApiProtocolError, start)
  const endless = new SentenceDecoder()
  const word = Buffer.concat([encodeLength(60_000), Buffer.alloc(60_000, "x")])
  assert.throws(() => {
    for (let i = 0; i < 10; i++) endless.push(word)
  }, ApiProtocolError)
})

test("query words work as the manual's examples do", () => {
  const rows = [
    { name: "ether1", type: "ether", comment: "x" },
    { name: "vlan5", type: "vlan" },
    { name: "lo", type: "loopback", mtu: "65536" },
  ]
  const names = (...words: string[]) => rows.filter(parseQuery(words)!).map(({ name }) => name)
  assert.deepEqual(names(), ["ether1", "vlan5", "lo"])
  assert.deepEqual(names("?type=ether", "?type=vlan", "?#|"), ["ether1", "vlan5"])
  assert.deepEqual(names("?comment"), ["ether1"])
  assert.deepEqual(names("?-comment"), ["vlan5", "lo"])
  assert.deepEqual(names("?type=ether", "?#!"), ["vlan5", "lo"])
  assert.deepEqual(names("?>mtu=1500"), ["lo"])
  assert.deepEqual(names("?=name=lo", "?type=loopback", "?#&"), ["lo"])
  assert.equal(parseQuery(["?#x"]), null)
})

test("durations, moments and versions are written as RouterOS writes them", () => {
  assert.deepEqual([0, 61_000, 788_645_000].map(duration), ["0s", "1m1s", "1w2d3h4m5s"])
  assert.equal(moment(Date.UTC(2024, 11, 18, 17, 21, 42), true), "2024-12-18 17:21:42")
  assert.equal(moment(Date.UTC(2022, 3, 22, 7, 54, 55), false), "apr/22/2022 07:54:55")
  assert.deepEqual(
    ["7.18", "7.20.1", "6.49.18", "7.9"].map((version) => atLeast(version, 7, 18)),
    [true, true, false, false],
  )
})

// ---- a router on a socket

interface Scene {
  readonly isp: Isp
  readonly network: Network
  readonly router: Router
  readonly server: ApiServer
  readonly at: (ms: number) => void
}

const drawn = generate({ routers: 30, seed: 8 })

const withRouter = async (
  persona: Persona,
  osVersion: string,
  use: (scene: Scene) => Promise<void>,
  role = "bng",
): Promise<void> => {
  const index = drawn.routers.find((router) => router.roles[0] === role)!.index
  const routeros = { user: "heliograph", password: "s3cret ção" }
  const isp: Isp = {
    ...drawn,
    routers: drawn.routers.map((router) =>
      router.index === index ? { ...router, persona, osVersion, routeros } : router,
    ),
  }
  let now = Date.now()
  const network = new Network(isp, now)
  const server = await ApiServer.listen(network, index, () => now, "127.0.0.1", 0)
  try {
    await use({ isp, network, router: isp.routers[index]!, server, at: (ms) => network.advance((now += ms)) })
  } finally {
    server.close()
  }
}

/** Words as they come, without any client's help. */
class Raw {
  readonly socket: Socket
  private readonly decoder = new SentenceDecoder()
  private readonly got: (readonly string[])[] = []
  private wake: () => void = () => {}
  private ended = false

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1")
    this.socket.on("data", (chunk) => {
      this.got.push(...this.decoder.push(chunk as Buffer))
      this.wake()
    })
    this.socket.on("error", () => {})
    this.socket.on("close", () => {
      this.ended = true
      this.wake()
    })
  }

  send(...words: string[]): void {
    this.socket.write(encodeSentence(words))
  }

  /** The next sentence, or null when the connection is gone. */
  async next(): Promise<readonly string[] | null> {
    for (;;) {
      const sentence = this.got.shift()
      if (sentence !== undefined) return sentence
      if (this.ended) return null
      await new Promise<void>((settle) => (this.wake = settle))
    }
  }

  async login(): Promise<void> {
    this.send("/login", "=name=heliograph", "=password=s3cret ção")
    assert.deepEqual(await this.next(), ["!done"])
  }

  /** Everything up to !done, which is included. */
  async answer(...words: string[]): Promise<readonly (readonly string[])[]> {
    this.send(...words)
    const sentences: (readonly string[])[] = []
    for (;;) {
      const sentence = await this.next()
      assert.ok(sentence !== null, "connection lost")
      sentences.push(sentence)
      if (sentence[0] === "!done") return sentences
    }
  }
}

const withRaw = async (scene: Scene, use: (raw: Raw) => Promise<void>): Promise<void> => {
  const raw = new Raw(scene.server.port)
  try {
    await use(raw)
  } finally {
    raw.socket.destroy()
  }
}

test("an empty answer is !empty and !done from 7.18 on, and !done alone before", async () => {
  for (const [version, wanted] of [
    ["7.20.1", [["!empty"], ["!done"]]],
    ["7.16.2", [["!done"]]],
  ] as const)
    await withRouter("routeros7", version, (scene) =>
      withRaw(scene, async (raw) => {
        await raw.login()
        assert.deepEqual(await raw.answer("/routing/bfd/session/print"), wanted)
      }),
    )
})

test("nobody gets anything without logging in, and a wrong password is a !trap", async () => {
  await withRouter("routeros7", "7.20.1", async (scene) => {
    await withRaw(scene, async (raw) => {
      raw.send("/system/identity/print")
      assert.equal((await raw.next())![0], "!fatal")
      assert.equal(await raw.next(), null)
    })
    await withRaw(scene, async (raw) => {
      const [trap] = await raw.answer("/login", "=name=heliograph", "=password=wrong", ".tag=9")
      assert.deepEqual(trap, ["!trap", "=message=invalid user name or password (6)", ".tag=9"])
      const [, challenge] = (await raw.answer("/login"))[0]!
      assert.match(challenge!, /^=ret=[0-9a-f]{32}$/)
      assert.equal((await raw.answer("/login", "=name=heliograph", `=response=00${"0".repeat(32)}`))[0]![0], "!trap")
    })
  })
})

test("commands run side by side keep their tags; .proplist, queries and count-only do what they say", async () => {
  await withRouter("routeros7", "7.20.1", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      raw.send("/interface/print", "=.proplist=name,type", "?type=loopback", ".tag=a")
      raw.send("/ppp/active/print", "=count-only=", ".tag=b")
      const got = [await raw.next(), await raw.next(), await raw.next()]
      assert.deepEqual(got[0], ["!re", "=name=lo", "=type=loopback", ".tag=a"])
      assert.deepEqual(got[1], ["!done", ".tag=a"])
      assert.deepEqual(got[2], ["!done", `=ret=${scene.network.households.sessionsOn(scene.router.index)}`, ".tag=b"])
    }),
  )
})

test("an unknown command, an unknown menu and a write are a !trap and a !done, and the connection lives on", async () => {
  await withRouter("routeros7", "7.20.1", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      for (const [command, message] of [
        ["/interface/frobnicate", "no such command"],
        ["/no/such/print", "no such command prefix"],
        ["/interface/set", "not enough permissions (9)"],
        ["/routing/bgp/peer/print", "no such command prefix"],
      ] as const)
        assert.deepEqual(await raw.answer(command), [["!trap", `=message=${message}`], ["!done"]])
      assert.equal((await raw.answer("/system/identity/print"))[0]![1], `=name=${scene.router.name}`)
    }),
  )
})

test("a listener hears the interface that went down, until it is cancelled", async () => {
  await withRouter("routeros7", "7.20.1", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      raw.send("/interface/listen", "=.proplist=name,running", ".tag=l")
      raw.send("/log/print", "=follow-only=", ".tag=log")
      await raw.answer("/system/identity/print")
      const link = scene.network.linksOf(scene.router.index)[0]!
      const port = scene.router.ports.map((one) => scene.isp.ports[one]!).find((one) => one.wire === link)!
      scene.network.setCut(link, true)
      assert.deepEqual(await raw.next(), ["!re", `=name=${port.name}`, "=running=false", ".tag=l"])
      const logLine = {
        router: scene.router.index,
        atMs: scene.network.nowMs,
        topics: "interface,info",
        message: "x link down",
      }
      scene.server.logged(logLine)
      assert.ok((await raw.next())!.includes("=message=x link down"))
      assert.deepEqual(await raw.answer("/cancel", "=tag=l", ".tag=c"), [
        ["!trap", "=category=2", "=message=interrupted", ".tag=l"],
        ["!done", ".tag=l"],
      ])
      assert.deepEqual(await raw.next(), ["!done", ".tag=c"])
    }),
  )
})

test("a dead router keeps the connection and says nothing; when it has booted it resets what it does not know", async () => {
  await withRouter("routeros7", "7.20.1", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      scene.network.kill(scene.router.index)
      raw.send("/system/identity/print")
      let answered = false
      const next = raw.next().then((sentence) => {
        answered = true
        return sentence
      })
      // Something else on loopback goes there and back meanwhile: an answer would have been here by then.
      const other = new Raw(scene.server.port)
      await once(other.socket, "connect")
      other.socket.destroy()
      assert.equal(answered, false)
      scene.network.revive(scene.router.index)
      scene.at(BOOT_MS + AGENT_START_MS)
      assert.equal(await next, null)
    }),
  )
})

test("the account may read and nothing more, and says so when asked", async () => {
  await withRouter("routeros7", "7.20.1", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      const [group] = await raw.answer("/user/group/print")
      const policy = group!.find((word) => word.startsWith("=policy="))!
      for (const refused of ["!write", "!policy", "!sensitive", "!reboot", "!password"])
        assert.ok(policy.includes(refused))
      assert.doesNotMatch(JSON.stringify(await raw.answer("/user/print")), /s3cret/)
    }),
  )
})

test("the log's keepalive, an empty sentence, and bytes one by one are all fine", async () => {
  await withRouter("routeros6", "6.49.18", (scene) =>
    withRaw(scene, async (raw) => {
      await raw.login()
      raw.socket.setNoDelay(true)
      raw.socket.write(Buffer.from([0, 0]))
      for (const byte of encodeSentence(["/system/identity/print", ".tag=1"])) raw.socket.write(Buffer.from([byte]))
      assert.deepEqual(await raw.next(), ["!re", `=name=${scene.router.name}`, ".tag=1"])
    }),
  )
})

test("a legacy router (before 6.43) accepts the challenge's answer, and only from who knows the password", async () => {
  const { createHash } = await import("node:crypto")
  await withRouter("routeros6", "6.42.12", (scene) =>
    withRaw(scene, async (raw) => {
      const challenge = Buffer.from((await raw.answer("/login"))[0]![1]!.slice(5), "hex")
      const response = (password: string) =>
        `=response=00${createHash("md5")
          .update(Buffer.from([0]))
          .update(password)
          .update(challenge)
          .digest("hex")}`
      assert.equal((await raw.answer("/login", "=name=heliograph", response("wrong")))[0]![0], "!trap")
      assert.deepEqual(await raw.answer("/login", "=name=heliograph", response("s3cret ção")), [["!done"]])
    }),
  )
})

// ---- node-routeros as an independent client

/** Its text is win1252, so the password is plain here; its crash at !empty keeps it away from empty menus of 7.18+. */
const withNodeRouterOs = async (scene: Scene, use: (client: Client) => Promise<void>): Promise<void> => {
  const client = new RouterOSAPI({
    host: "127.0.0.1",
    port: scene.server.port,
    user: "heliograph",
    password: "plain",
    timeout: 10,
  })
  client.on("error", () => {})
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.close()
  }
}

const READ_LIST: Readonly<Record<"common" | "v6" | "v7", readonly string[]>> = {
  common: [
    "/system/resource",
    "/system/identity",
    "/system/routerboard",
    "/system/health",
    "/interface",
    "/ip/address",
    "/ip/neighbor",
    "/routing/ospf/neighbor",
    "/ppp/active",
    "/queue/simple",
    "/ip/route",
  ],
  v6: ["/routing/bgp/peer"],
  v7: ["/routing/bgp/session"],
}

for (const [persona, version] of [
  ["routeros7", "7.16.2"],
  ["routeros7", "7.20.1"],
  ["routeros6", "6.49.18"],
] as const)
  test(`node-routeros logs in to ${version}, reads every menu of a BNG and gets what the network has`, async () => {
    await withRouter(persona, version, async (scene) => {
      const plain = { ...scene.router.routeros!, password: "plain" }
      ;(scene.router as { routeros: Router["routeros"] }).routeros = plain
      await withNodeRouterOs(scene, async (client) => {
        const { network, isp, router } = scene
        const menus = [...READ_LIST.common, ...(persona === "routeros6" ? READ_LIST.v6 : READ_LIST.v7)]
        const rows = new Map(
          await Promise.all(menus.map(async (menu) => [menu, await client.write(`${menu}/print`)] as const)),
        )
        for (const menu of menus) assert.ok(rows.get(menu)!.length > 0, menu)
        assert.equal(rows.get("/system/identity")![0]!["name"], router.name)
        assert.ok(String(rows.get("/system/resource")![0]!["version"]).startsWith(version))
        assert.equal(rows.get("/ppp/active")!.length, network.households.sessionsOn(router.index))
        const interfaces = rows.get("/interface")!
        for (const port of router.ports.map((one) => isp.ports[one]!)) {
          const row = interfaces.find((one) => one["name"] === port.name)!
          assert.equal(row["rx-byte"], String(network.inOctets(port.index)))
          assert.equal(row["running"], String(network.portUp[port.index] === 1))
        }
        const health = rows.get("/system/health")!
        assert.equal(health.length, persona === "routeros6" ? 1 : 3)
        const neighbours = rows.get("/routing/ospf/neighbor")!
        assert.equal(neighbours.length, network.linksOf(router.index).length)
        assert.ok(neighbours.every((row) => row["state"] === "Full"))
        // Between 7.0 and 7.19 a neighbour does not name its interface.
        assert.ok(neighbours.every((row) => "interface" in row === (version !== "7.16.2")))
      })
    })
  })

test("node-routeros sees a BGP session lose its flag when the peer has been gone for the hold time", async () => {
  await withRouter("routeros7", "7.16.2", async (scene) => {
    ;(scene.router as { routeros: Router["routeros"] }).routeros = { user: "heliograph", password: "plain" }
    await withNodeRouterOs(scene, async (client) => {
      const flags = async () => (await client.write("/routing/bgp/session/print")).map((row) => row["established"])
      assert.ok((await flags()).every((flag) => flag === "true"))
      const session = scene.isp.sessions.find(({ a, b }) => a === scene.router.index || b === scene.router.index)!
      scene.network.kill(session.a === scene.router.index ? session.b : session.a)
      scene.at(10_000)
      assert.equal((await flags()).filter((flag) => flag === undefined).length, 1)
    })
  })
})

test("an endless client word and too many connections end the connection, not the router", async () => {
  await withRouter("routeros7", "7.20.1", async (scene) => {
    const bad = new Raw(scene.server.port)
    bad.socket.write(Buffer.from("f0ffffffff", "hex"))
    assert.equal(await bad.next(), null)
    const many = Array.from({ length: 30 }, () => new Raw(scene.server.port))
    try {
      await Promise.race(many.map(async (raw) => assert.equal(await raw.next(), null)))
    } finally {
      for (const raw of many) raw.socket.destroy()
    }
    await Promise.all(many.map((raw) => (raw.socket.closed ? undefined : once(raw.socket, "close"))))
    const after = new Raw(scene.server.port)
    await once(after.socket, "connect")
    await after.login()
    after.socket.destroy()
  })
})
