/**
 * [S11] By default nothing of a subscriber is kept: an engine polls routers that have thousands of them by SNMP and the
 * RouterOS API, hears traps and syslog that name them, and then every place where something could be is searched: all
 * tables (with their packed bytes), all files, the log, the API's answers, the live stream. A planted word that is no
 * subscriber proves that the search finds what is there.
 */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { createSession, ObjectType, Version2c } from "net-snmp"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { filesOf, listen, searchTables } from "#lab/e2e/everywhere.fixture.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

/** What is told of people, and what each router of the lab has of its own (lab/routeros/menus.ts, pppActive). */
const CANARIES = ["assinante-", "canarymaria", "02:5a:", "02-5a-", "5e:ca:fe:be:ef:01", "5ecafebeef01", "100.99.77.55"]
/** Kept on purpose: the search must find it. */
const CONTROL = "controlword7391"

const LINES = [
  "pppoe,ppp,info <pppoe-canarymaria>: connected",
  "pppoe,ppp,info,account canarymaria logged in, 100.99.77.55 from 5E:CA:FE:BE:EF:01",
  "<30>Oct  2 16:51:21 bng canarymaria logged out, 3600 1024 2048 10 20 from 5E:CA:FE:BE:EF:01",
  "pppoe,ppp,error <0010>: user canarymaria authentication failed - radius timeout",
  "pppoe,info PPPoE connection established from 5E:CA:FE:BE:EF:01",
  "<30>Oct  2 16:51:21 bng dhcp1 assigned 100.99.77.55 to 5E:CA:FE:BE:EF:01",
  "firewall,info forward: in:<pppoe-canarymaria> out:ether1, src-mac 5E:CA:FE:BE:EF:01, proto UDP, 100.99.77.55:53->8.8.8.8:53",
  "wireless,info 5E:CA:FE:BE:EF:01@wlan1: connected, signal strength -70",
  "<14>1 2026-11-20T10:00:00Z bng accel-pppd 12 - - canarymaria: authentication succeeded",
  `system,warning ${CONTROL}`,
]
const LINES_METRIC = 'heliograph_syslog_lines_total{outcome="accepted"}'
const TRAPS_METRIC = 'heliograph_traps_total{outcome="submitted"}'

interface Device {
  readonly address: string
  readonly snmp?: { readonly community?: string }
}

test("[S11] a default run keeps no subscriber's name, MAC or address", { skip: NO_POSTGRES }, async () => {
  await withScene({ routers: 24, seed: 7, pollSeconds: 2, push: true }, async (scene) => {
    const { engine, cookie, ports } = scene
    const stream = await listen(engine.url, cookie)
    const devices = (await scene.lab.importDocument())["devices"] as readonly Device[]
    const sender = devices.find(({ snmp }) => snmp?.community !== undefined)
    assert.ok(sender !== undefined, "a router of the lab speaks v2c")

    const before = await engine.metrics(cookie)
    await sendLines(sender.address, ports.syslog)
    await sendTrap(sender, ports.trap)
    const grown = async (name: string, by: number): Promise<boolean> =>
      ((await engine.metrics(cookie)).get(name) ?? 0) >= (before.get(name) ?? 0) + by
    await until(async () => (await grown(LINES_METRIC, LINES.length)) && (await grown(TRAPS_METRIC, 1)))
    // Two polls of everything and a snapshot's worth of rounds behind it.
    await until(async () => stream.frames.length > 20)
    const answers = await readApi(scene)
    assert.match(answers, /"subscribers":[1-9]/, "subscribers are counted")
    await stream.close()

    const found: string[] = []
    const search = (where: string, bytes: Buffer): boolean => {
      for (const canary of CANARIES) if (has(bytes, canary)) found.push(`${canary} in ${where}`)
      return has(bytes, CONTROL)
    }
    search("an answer of the API", Buffer.from(answers))
    for (const frame of stream.frames) search("a frame of the stream", frame)
    search("what the engine said", Buffer.from(engine.child.lines.join("\n")))
    const { rows, hits } = await searchTables(engine.dataDir, search)
    assert.ok(rows > 100, `only ${rows} rows were searched`)
    assert.ok(hits > 0, "the search does not find the word that was planted in the journal")
    for (const file of filesOf(engine.dataDir)) search(file, readFileSync(file))
    assert.deepEqual(found, [])
  })
})

/** In any case of letters, as text of UTF-8. */
const has = (bytes: Buffer, word: string): boolean => bytes.toString("latin1").toLowerCase().includes(word)

const until = async (accept: () => Promise<boolean>): Promise<void> => {
  const giveUpMs = Date.now() + 60_000
  while (!(await accept())) {
    assert.ok(Date.now() < giveUpMs, "it did not happen within a minute")
    await new Promise((wake) => setTimeout(wake, 100))
  }
}

const sendLines = async (from: string, port: number): Promise<void> => {
  const socket = createSocket("udp4")
  await new Promise<void>((bound) => socket.bind(0, from, bound))
  for (const line of LINES) await new Promise((sent) => socket.send(line, port, "127.0.0.1", sent))
  await new Promise<void>((closed) => socket.close(closed))
}

/** linkDown of a subscriber's session, with its name and, as some vendors do, MAC and address in texts of their own. */
const sendTrap = async ({ address, snmp }: Device, port: number): Promise<void> => {
  const session = createSession("127.0.0.1", snmp!.community!, {
    version: Version2c,
    trapPort: port,
    sourceAddress: address,
  })
  const text = (oid: string, value: string) => ({ oid, type: ObjectType.OctetString, value })
  const varbinds = [
    { oid: "1.3.6.1.2.1.2.2.1.1.4711", type: ObjectType.Integer, value: 4711 },
    text("1.3.6.1.2.1.31.1.1.1.1.4711", "<pppoe-canarymaria>"),
    text("1.3.6.1.4.1.14988.1.1.99.1", "5E:CA:FE:BE:EF:01"),
  ]
  await new Promise<void>((settle, reject) =>
    session.trap("1.3.6.1.6.3.1.1.5.3", varbinds, (error) => (error === null ? settle() : reject(error))),
  )
  session.close()
}

const readApi = async ({ engine, cookie }: Scene): Promise<string> => {
  const { items } = (await engine.json("/api/v1/devices?limit=1000", cookie)) as { items: readonly { id: string }[] }
  const paths = [
    ..."devices links sites interfaces adjacencies topology status events audit".split(" "),
    ...items.flatMap(({ id }) => [`devices/${id}`, `devices/${id}/interfaces`, `devices/${id}/declared`]),
  ]
  const answers = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(`${engine.url}/api/v1/${path}`, { headers: { cookie } })
      assert.equal(answer.status, 200, path)
      return answer.text()
    }),
  )
  const metrics = await fetch(`${engine.url}/metrics`, { headers: { cookie } })
  return [...answers, await metrics.text()].join("\n")
}
