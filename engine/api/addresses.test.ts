/**
 * An address where nothing would ever be polled is refused where it is declared, with the reason, instead of being kept
 * and left out in silence: by REST, by import (with its line) and by `heliograph import`. What stood there before stays.
 */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import * as Effect from "effect/Effect"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import type { ImportDocument } from "#engine/import/document.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { importInventory } from "#engine/storage/inventory.ts"
import { openVault } from "#engine/storage/vault.ts"

const SITE = { id: "pop", name: "POP", latitude: 1, longitude: 2 }
const REFUSED = {
  "127.0.0.1": /this machine's own/,
  "127.16.3.4": /this machine's own/,
  "::1": /this machine's own/,
  "169.254.169.254": /link-local/,
  "fe80::1": /link-local/,
  "64:ff9b::a00:1": /carries an IPv4 address/,
  "fd00:ec2::254": /a cloud's own/,
} as const

const documentOf = (...devices: ReadonlyArray<readonly [name: string, address: string]>): ImportDocument => ({
  sites: [SITE],
  devices: devices.map(([name, address]) => ({
    name,
    address,
    site: "pop",
    roles: ["other"],
    snmp: null,
    routeros: null,
    pollSeconds: 60,
  })),
  links: [],
})
const textOf = (...devices: ReadonlyArray<readonly [name: string, address: string]>): string => {
  const lines = devices.map(
    ([name, address]) => `{ "name": "${name}", "address": "${address}", "site": "pop", "roles": ["other"] }`,
  )
  return `{ "sites": [${JSON.stringify(SITE)}], "links": [], "devices": [\n${lines.join(",\n")}\n] }`
}

describe("[S9] addresses that would not be polled", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer({ loopback: "demo" })
  const { ask } = server
  let admin = ""
  before(async () => {
    admin = server.as({ tenant: server.a, userId: "admin" })
    assert.equal((await ask(admin, "PUT", "/sites/pop", SITE)).status, 200)
  })
  const fields = { site: "pop", roles: ["other"], pollSeconds: 60, pingSeconds: 0 }
  const devices = () => server.services(server.a).twin.inventory().devices

  test("a device is neither made nor moved there, in words, and nothing is written", async () => {
    const made = await ask(admin, "POST", "/devices", { ...fields, name: "moves", address: "10.1.1.1" })
    assert.equal(made.status, 200, made.text)
    for (const [address, why] of Object.entries(REFUSED)) {
      for (const [method, path, body] of [
        ["POST", "/devices", { ...fields, name: "fresh", address }],
        ["PATCH", `/devices/${made.body.id}`, { address }],
      ] as const) {
        const { status, body: problem } = await ask(admin, method, path, body)
        assert.equal(status, 422, `${method} ${address}`)
        assert.match(problem.detail, why)
        assert.ok(problem.detail.includes(address), problem.detail)
      }
    }
    assert.deepEqual(
      devices().map(({ name, address }) => [name, address]),
      [["moves", "10.1.1.1"]],
    )
  })

  test("an import names each by its line, JSON and CSV, and nothing of it is taken", async () => {
    const { status, body } = await ask(admin, "POST", "/imports", {
      document: textOf(["good", "10.2.2.2"], ["near", "127.0.0.1"], ["link", "169.254.1.1"]),
    })
    assert.equal(status, 422)
    assert.deepEqual(
      body.errors.map(({ line, path }) => [line, path]),
      [
        [3, "devices[1].address"],
        [4, "devices[2].address"],
      ],
    )
    assert.match(body.errors[0]!.message, /this machine's own/)
    const csv = "name,address,site,roles\ngood,10.2.2.2,pop,other\nnear,::1,pop,other\n"
    const table = await ask(admin, "POST", "/imports?format=csv", { document: csv })
    assert.equal(table.status, 422)
    assert.deepEqual(
      table.body.errors.map(({ line, path }) => [line, path]),
      [[3, "address"]],
    )
    assert.equal(devices().length, 1)
  })

  test("the machine's own import is refused by the names of the devices, with or without an engine", async () => {
    const wrong = documentOf(...Array.from({ length: 7 }, (_, index) => [`n${index}`, `127.0.0.${index + 1}`] as const))
    const running = server.services(server.a)
    const refusal = await Effect.runPromise(
      Effect.flip(running.importDocument(wrong, { dryRun: true, replace: false })),
    )
    assert.equal(refusal._tag, "AddressRefused")
    assert.match(refusal.message, /^device n0: address: "127\.0\.0\.1" is this machine's own.*device n4.*and 2 more$/)
    const vault = await Effect.runPromise(openVault(server.it.db, { dataDir: server.it.dataDir }))
    const tenant = await server.it.newTenant()
    const stored = importInventory(server.it.db, vault, tenant, wrong, {
      defaultPollSeconds: 60,
      wrongAddress: running.wrongAddress(),
    })
    assert.equal((await Effect.runPromise(Effect.flip(stored)))._tag, "AddressRefused")
  })

  test("what was declared before keeps its address, and is edited as ever", async () => {
    // Declared by an engine that asked nobody.
    const vault = await Effect.runPromise(openVault(server.it.db, { dataDir: server.it.dataDir }))
    const options = { defaultPollSeconds: 60 }
    await Effect.runPromise(importInventory(server.it.db, vault, server.a, documentOf(["old", "127.9.9.9"]), options))
    const { status: named } = await ask(admin, "PUT", "/sites/pop", { ...SITE, name: "POP 2" })
    assert.equal(named, 200)
    const old = devices().find(({ name }) => name === "old")!
    const edited = await ask(admin, "PATCH", `/devices/${old.id}`, { pollSeconds: 120 })
    assert.equal(edited.status, 200, edited.text)
    assert.equal((await ask(admin, "PATCH", `/devices/${old.id}`, { address: "127.9.9.8" })).status, 422)
    assert.equal((await ask(admin, "PATCH", `/devices/${old.id}`, { address: "10.3.3.3" })).status, 200)
  })
})
