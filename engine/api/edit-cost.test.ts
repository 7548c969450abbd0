/**
 * What one edit costs where the network is large: one device changes, so no other device's credentials are opened and
 * no other device's pollers start anew, and what is handed on in memory is what is stored. EDIT_COST_DEVICES=5000 prints the times of that size; the tests count and never time.
 */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import * as Effect from "effect/Effect"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { PollFailed, type Collector } from "#engine/collectors/collector.ts"
import type { Target } from "#engine/collectors/target.ts"
import type { ImportDocument } from "#engine/import/document.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { loadInventory, loadTargets } from "#engine/storage/inventory.ts"
import { storePin } from "#engine/storage/pins.ts"
import { openVault } from "#engine/storage/vault.ts"
import { encodeBatch } from "#engine/tenant/journal-codec.ts"
import { deviceId } from "#protocol/id.ts"

const DEVICES = Number(process.env["EDIT_COST_DEVICES"] ?? 40)
const EDITS = Number(process.env["EDIT_COST_EDITS"] ?? 6)

const name = (index: number): string => `r${String(index).padStart(5, "0")}`

const network = (): ImportDocument => ({
  sites: [{ id: "pop", name: "POP", latitude: 1, longitude: 2 }],
  devices: Array.from({ length: DEVICES }, (_, index) => ({
    name: name(index),
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    site: "pop",
    roles: ["access"] as const,
    pollSeconds: 3_600,
    snmp: { version: "2c", port: 161, community: `community of ${index}` } as const,
    routeros: { port: 8728, user: "heliograph", password: `password of ${index}`, tls: false },
  })),
  links: Array.from({ length: DEVICES * 1.5 }, (_, index) => ({
    a: { device: name(index % DEVICES), interface: `ether${index}` },
    b: { device: name((index * 7 + 1) % DEVICES), interface: `sfp${index}` },
    capacityBps: 1e10,
  })),
})

/** Remembers what the fleet was last told of each device; nothing is polled. */
const remembers = (source: "snmp" | "routeros", told: Map<string, Target>): Collector => ({
  source,
  open: (target) => {
    told.set(target.name, target)
    if (target[source] === null) return null
    return Effect.succeed({ poll: () => Effect.fail(new PollFailed({ reason: "timeout", detail: "nobody there" })) })
  },
})

describe("one edit of a large network", { skip: NO_POSTGRES }, () => {
  let opened: string[] = []
  const told = new Map<string, Target>()
  const server = useInventoryServer({
    collectors: [remembers("snmp", told), remembers("routeros", told)],
    onOpened: (device, kind) => opened.push(`${device} ${kind}`),
  })
  let token = ""
  const ids = new Map<string, string>()
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await server.ask(token, method, path, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }
  const device = (index: number): string => `/devices/${ids.get(name(index))}`
  /** What the collectors hold: by identity, so that a target made anew shows. */
  const madeAnew = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = new Map(told)
    told.clear()
    opened = []
    await act()
    return [...told].flatMap(([device, target]) => (before.get(device) === target ? [] : [device]))
  }

  before(async () => {
    const { importDocument, twin } = server.services(server.a)
    await Effect.runPromise(importDocument(network(), { dryRun: false, replace: false }))
    token = server.as({ tenant: server.a, userId: "editor", roles: ["tenant_admin"] })
    for (const { id, name } of twin.inventory().devices) ids.set(name, id)
  })

  test("an edit opens no credential, and the fleet hears of one new target", async () => {
    const anew = await madeAnew(() => ask("PATCH", device(3), { pollSeconds: 1_800 }))
    assert.deepEqual(anew, [name(3)])
    assert.deepEqual(opened, [])
    assert.equal(told.size, DEVICES)
    assert.equal(told.get(name(3))?.pollSeconds, 1_800)
    assert.deepEqual(told.get(name(3))?.snmp, { version: "2c", port: 161, community: "community of 3" })
  })

  test("a credential opens itself, and one taken away is gone from the collectors", async () => {
    const snmp = { version: "2c", port: 161, community: "another community" }
    const anew = await madeAnew(() => ask("PUT", `${device(4)}/credentials/snmp`, snmp))
    assert.deepEqual(anew, [name(4)])
    assert.deepEqual(opened, [`${ids.get(name(4))} snmp`])
    assert.deepEqual(told.get(name(4))?.snmp, snmp)
    assert.deepEqual(await madeAnew(() => ask("DELETE", `${device(4)}/credentials/snmp`)), [name(4)])
    assert.deepEqual(opened, [])
    assert.equal(told.get(name(4))?.snmp, null)
    assert.ok(told.get(name(4))?.routeros)
  })

  test("[C23] several credentials come to the collectors as they were given, in their order", async () => {
    const first = { version: "2c", port: 161, community: "first" }
    const usm = { version: "3", port: 161, user: "u", authProtocol: "sha", authPassword: "password-1" }
    const anew = await madeAnew(() => ask("PUT", `${device(6)}/credentials/snmp`, [first, usm]))
    assert.deepEqual(anew, [name(6)])
    assert.deepEqual(told.get(name(6))?.snmp, { ...first, others: [usm] })
    assert.deepEqual(opened, [`${ids.get(name(6))} snmp`])
  })

  test("a certificate pinned meanwhile comes along with the next edit, by one opening", async () => {
    const login = { port: 8729, user: "heliograph", password: "of five", tls: true }
    await ask("PUT", `${device(5)}/credentials/routeros`, login)
    const pin = Array.from({ length: 32 }, () => "AB").join(":")
    assert.ok(await Effect.runPromise(storePin(server.it.db, server.a, deviceId(ids.get(name(5))!), pin)))
    const anew = await madeAnew(() => ask("PATCH", device(6), { pollSeconds: 1_700 }))
    assert.deepEqual(anew.toSorted(), [name(5), name(6)])
    assert.deepEqual(opened, [`${ids.get(name(5))} routeros`])
    assert.equal(told.get(name(5))?.routeros?.fingerprint, pin)
  })

  test("what sealed bytes do not open is tried again at every edit, and costs the others nothing", async () => {
    const damaged = ids.get(name(7))!
    await Effect.runPromise(
      server.it.db.tenant(server.a)((tx) =>
        tx.query("update credential set sealed = '\\x0102' where device_id = $1 and kind = 'snmp'", [damaged]),
      ),
    )
    for (const pollSeconds of [1_600, 1_601]) {
      await madeAnew(() => ask("PATCH", device(8), { pollSeconds }))
      assert.deepEqual(opened, [`${damaged} snmp`])
      assert.equal(told.get(name(7))?.snmp, null)
      assert.ok(told.get(name(7))?.routeros)
    }
    await ask("PUT", `/devices/${damaged}/credentials/snmp`, { version: "2c", port: 161, community: "cured" })
  })

  /** What is passed on in memory is what a reading of the rows gives. */
  const sameAsStored = async (what: string): Promise<void> => {
    const { twin } = server.services(server.a)
    const { inventory } = await Effect.runPromise(loadInventory(server.it.db, server.a))
    assert.deepEqual(twin.inventory(), inventory, `the twin's inventory after: ${what}`)
    const vault = await Effect.runPromise(openVault(server.it.db, { dataDir: server.it.dataDir }))
    const targets = await Effect.runPromise(loadTargets(server.it.db, vault, server.a, () => assert.fail(what)))
    const held = targets.map((target) => told.get(target.name))
    assert.deepEqual(held, targets, `the collectors' targets after: ${what}`)
  }

  test("after every kind of edit, twin and collectors have what is stored", async () => {
    const then = async (method: string, path: string, body?: unknown) => {
      const { body: made } = await ask(method, path, body)
      await sameAsStored(`${method} ${path}`)
      return made.id
    }
    await then("PUT", "/sites/pop2", { name: "POP \u00e9 2", latitude: 0.1, longitude: -0.2 })
    const fresh = { address: "10.9.9.9", roles: ["core", "rr"], pollSeconds: 60, pingSeconds: null }
    const id = await then("POST", "/devices", { ...fresh, name: "fresh", site: "pop2" })
    await then("PUT", `/devices/${id}/credentials/snmp`, { version: "2c", port: 161, community: "c" })
    const tls = { port: 8729, user: "u", password: "p", tls: true }
    await then("PUT", `/devices/${id}/credentials/routeros`, tls)
    await then("PATCH", `/devices/${id}`, { name: "renamed", address: "10.9.9.8", pingSeconds: 0 })
    const ends = { a: { device: id, interface: "ether1" }, b: { device: ids.get(name(1)), interface: "ether99999" } }
    const link = await then("POST", "/links", { ...ends, capacityBps: 1e9 })
    await then("PATCH", `/links/${link}`, { capacityBps: null })
    await then("DELETE", `/devices/${id}/credentials/routeros`)
    await then("DELETE", `/devices/${id}`)
    await then("DELETE", "/sites/pop2")
    await Effect.runPromise(server.services(server.a).importDocument(network(), { dryRun: false, replace: true }))
    await sameAsStored("an import that replaces")
  })

  test("edits at once: all are answered, and the twin stands at the last of them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask("PATCH", device(index), { pollSeconds: 900 + index })),
    )
    assert.equal(answers.length, 12)
    await sameAsStored("12 edits at once")
    assert.equal(told.get(name(11))?.pollSeconds, 911)
  })

  test("what an edit takes, for whoever asks for a size", async (t) => {
    const ms: number[] = []
    const cpuFrom = process.cpuUsage()
    for (let edit = 0; edit < EDITS; edit++) {
      const fromMs = performance.now()
      await ask("PATCH", device(edit % DEVICES), { pollSeconds: 2_000 + edit })
      ms.push(Math.round(performance.now() - fromMs))
    }
    const { user, system } = process.cpuUsage(cpuFrom)
    const cpuMs = Math.round((user + system) / 1_000 / EDITS)
    ms.sort((a, b) => a - b)
    const inventory = server.services(server.a).twin.inventory()
    const fromMs = performance.now()
    const bytes = encodeBatch([{ seq: 1, input: { kind: "topology", atMs: 0, rev: 1, inventory } }]).length
    const packMs = Math.round(performance.now() - fromMs)
    const at = (share: number): number => ms[Math.ceil(share * ms.length) - 1] ?? Number.NaN
    t.diagnostic(
      `${DEVICES} devices, ${EDITS} edits: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms, CPU ${cpuMs} ms each; ` +
        `the topology in the journal: ${bytes} bytes, packed in ${packMs} ms`,
    )
  })
})
