/** Documents in and out by REST: what is exported imports to nothing new, previews change nothing, mistakes have lines. */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import fc from "fast-check"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { wrongDeviceAddress } from "#engine/net/reach.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { ROLES } from "#protocol/role.ts"

const name = fc.stringMatching(/^[A-Za-z0-9ç.-]{1,12}$/)
const document = fc
  .uniqueArray(name, { minLength: 1, maxLength: 4 })
  .chain((sites) =>
    fc.record({
      sites: fc.constant(
        sites.map((id, index) => ({ id, name: `S ${id}`, latitude: index - 1.5, longitude: index * 7.25 })),
      ),
      devices: fc.uniqueArray(
        fc.record({
          name,
          address: fc
            .ipV4()
            .filter((address) => Number(address.split(".")[0]) > 0 && Number(address.split(".")[0]) < 224)
            .filter((address) => wrongDeviceAddress(true)(address) === null),
          site: fc.constantFrom(...sites),
          roles: fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 3 }),
          pollSeconds: fc.integer({ min: 1, max: 3600 }),
          ping: fc.constantFrom(false, true, { intervalSeconds: 7 }),
          probes: fc.subarray([
            { kind: "tcp", port: 22, intervalSeconds: 30 },
            { kind: "http", path: "/x", host: "www.example.net", status: 204 },
            { kind: "dns", name: "example.net", type: "AAAA" },
          ]),
        }),
        { selector: (one) => one.name, maxLength: 5 },
      ),
    }),
  )
  .map(({ sites, devices }) => ({
    sites,
    devices,
    links: devices.slice(1).map((one, index) => ({
      a: { device: devices[index]!.name, interface: `to-${one.name}` },
      b: { device: one.name, interface: "up" },
      ...(index % 2 === 0 ? { capacityBps: 1e9 } : {}),
    })),
  }))

describe("imports and export by REST", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer()
  const { ask } = server
  let admin: string
  before(() => {
    admin = server.as({ tenant: server.a, userId: "admin" })
  })
  const send = (text: string, query = "") => ask(admin, "POST", `/imports${query}`, { document: text })
  const exported = async (): Promise<string> => (await ask(admin, "GET", "/export")).body.document

  test("[T8] what was exported changes nothing when it is imported, also as a replacement; and says it all", async () => {
    await fc.assert(
      fc.asyncProperty(document, async (wanted) => {
        const first = await send(JSON.stringify(wanted), "?replace=true")
        assert.equal(first.status, 200, first.text)
        const out = await exported()
        for (const query of ["", "?replace=true"]) {
          const again = await send(out, query)
          assert.equal(again.status, 200, again.text)
          for (const part of ["sites", "devices", "links"] as const)
            assert.deepEqual(again.body[part], {
              added: 0,
              updated: 0,
              removed: 0,
              unchanged: wanted[part].length,
            })
          assert.equal(again.body.rev, first.body.rev)
        }
        assert.equal(await exported(), out)
        const { twin } = server.services(server.a)
        assert.deepEqual(
          twin.inventory().devices.map((one) => one.name),
          wanted.devices.map((one) => one.name).toSorted((a, b) => (a < b ? -1 : 1)),
        )
      }),
      { numRuns: 15 },
    )
  })

  const SITE = { id: "p", name: "P", latitude: 1, longitude: 2 }
  const one = (device: string, more: object = {}) => ({
    name: device,
    address: "192.0.2.1",
    site: "p",
    roles: ["core"],
    ...more,
  })

  test("[T8] a dry run names what it would do and does none of it, without an entry in the audit", async () => {
    await send(JSON.stringify({ sites: [SITE], devices: [one("keep"), one("go")], links: [] }), "?replace=true")
    const before = await exported()
    const preview = await send(
      JSON.stringify({ sites: [SITE], devices: [one("keep", { pollSeconds: 5 }), one("new")], links: [] }),
      "?replace=true&dryRun=true",
    )
    assert.equal(preview.body.dryRun, true)
    assert.deepEqual(preview.body.preview, { added: ["new"], updated: ["keep"], removed: ["go"] })
    assert.equal(await exported(), before)
  })

  test("[T8] mistakes are told by line, and nothing is imported", async () => {
    const text = JSON.stringify({ sites: [SITE], devices: [one("x", { address: "nowhere" })], links: [] }, null, 2)
    const answer = await send(text)
    assert.equal(answer.status, 422)
    assert.equal(answer.body.type, "urn:heliograph:import-invalid")
    const line = text.split("\n").findIndex((it) => it.includes("nowhere")) + 1
    assert.deepEqual(
      answer.body.errors.map((it) => [it.line, it.path]),
      [[line, "devices[0].address"]],
    )
    assert.equal((await send("{")).body.total, 1)
    assert.equal((await send("")).status, 422)
  })

  test("[T8] CSV: devices with their sites, credentials sealed; a known site needs no place", async () => {
    await send(JSON.stringify({ sites: [SITE], devices: [], links: [] }), "?replace=true")
    const csv = [
      "\uFEFFname,address,site,site_name,latitude,longitude,roles,community,routeros_user,routeros_password",
      'core1,192.0.2.1,sao-1,"São Paulo, 1","-23,55",-46.63,core|edge,s3cret,,',
      "core2,192.0.2.2,sao-1,,,,access,,api,-p@ss",
      "old,192.0.2.3,p,,,,other,,,",
    ].join("\r\n")
    const answer = await send(csv, "?format=csv")
    // Line 3 names a site that line 2 places.
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.body.preview.added, ["site sao-1", "core1", "core2", "old"])
    const out = JSON.parse(await exported())
    assert.deepEqual(
      out.sites.find((it: { id: string }) => it.id === "sao-1"),
      { id: "sao-1", name: "São Paulo, 1", latitude: -23.55, longitude: -46.63 },
    )
    assert.ok(!JSON.stringify(out).includes("s3cret"))
    const declared = server.services(server.a).twin.inventory().devices
    assert.deepEqual(
      declared.map((it) => it.sources),
      [["snmp", "probe"], ["routeros", "probe"], ["probe"]],
    )
    const wrong = await send(csv.replace("192.0.2.2", "nowhere"), "?format=csv")
    assert.deepEqual(
      wrong.body.errors.map((it) => [it.line, it.path]),
      [[3, "address"]],
    )
  })

  test("[O13] the same Idempotency-Key imports once", async () => {
    const body = { document: JSON.stringify({ sites: [SITE], devices: [one("fresh")], links: [] }) }
    const key = { "idempotency-key": "import-1" }
    const first = await ask(admin, "POST", "/imports", body, key)
    const again = await ask(admin, "POST", "/imports", body, key)
    assert.equal(first.body.devices.added, 1)
    assert.deepEqual(again.body, first.body)
  })
})
