/** What people declare by REST: over real HTTP, on a real database, with a real twin that follows. */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import { Client } from "pg"
import { MANY_REQUESTS, useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"

const CANARY = "canary-community-4711"

describe("the inventory by REST", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer()
  const { ask } = server
  let admin: string
  let manager: string
  let technician: string
  let stranger: string
  before(() => {
    const { a, b } = server
    admin = server.as({ tenant: a, userId: "admin" })
    manager = server.as({ tenant: a, userId: "manager", roles: ["manager"] })
    technician = server.as({ tenant: a, userId: "technician", roles: ["tenant_admin"], sites: ["pop-2"] })
    stranger = server.as({ tenant: b, userId: "stranger" })
  })

  const owner = async <A>(use: (client: Client) => Promise<A>): Promise<A> => {
    const client = new Client({ connectionString: server.it.database.ownerUrl })
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.end()
    }
  }
  interface Kept {
    readonly action: string
    readonly actor_id: string
    readonly before: unknown
    readonly after: unknown
  }
  const acts = (): Promise<readonly Kept[]> =>
    owner(async (client) => {
      const { rows } = await client.query("select * from audit_entry where tenant_id = $1 order by seq", [server.a])
      return rows as readonly Kept[]
    })
  const site = (id: string) => ({ name: `Site ${id}`, latitude: -23.5, longitude: -46.6 })
  const device = (name: string, more: object = {}) => ({
    name,
    address: "192.0.2.1",
    site: "pop-1",
    roles: ["core"],
    pollSeconds: 30,
    pingSeconds: null,
    ...more,
  })
  const inventory = () => server.services(server.a).twin.inventory()

  test("[C23] a site, a device and a link: made, read, changed and removed; the twin has each at once", async () => {
    assert.equal((await ask(admin, "PUT", "/sites/pop-1", site("pop-1"))).status, 200)
    assert.equal((await ask(admin, "PUT", "/sites/pop-2", site("pop-2"))).status, 200)
    const made = await ask(admin, "POST", "/devices", device("core1"))
    assert.equal(made.status, 200, made.text)
    assert.deepEqual(made.body.credentials, [])
    const other = await ask(admin, "POST", "/devices", device("core2", { site: "pop-2", address: "2001:db8::2" }))
    assert.deepEqual(
      inventory().devices.map((one) => one.name),
      ["core1", "core2"],
    )
    const ends = { a: { device: made.body.id, interface: "ether1" }, b: { device: other.body.id, interface: "ether1" } }
    const link = await ask(admin, "POST", "/links", { ...ends, capacityBps: 1e9 })
    assert.equal(link.status, 200, link.text)
    assert.equal((await ask(admin, "PATCH", `/links/${link.body.id}`, { capacityBps: null })).body.capacityBps, null)
    assert.equal(inventory().links[0]!.capacityBps, null)
    const renamed = await ask(admin, "PATCH", `/devices/${made.body.id}`, { name: "core-one", roles: ["edge"] })
    assert.equal(renamed.body.id, made.body.id)
    assert.equal((await ask(admin, "GET", `/devices/${made.body.id}`)).body.name, "core-one")
    assert.equal((await ask(admin, "DELETE", `/links/${link.body.id}`)).status, 204)
    assert.equal(inventory().links.length, 0)
    await ask(admin, "POST", "/links", { ...ends, capacityBps: null })
    assert.equal((await ask(admin, "DELETE", `/devices/${other.body.id}`)).status, 204)
    assert.deepEqual([inventory().devices.length, inventory().links.length], [1, 0])
    assert.equal((await ask(admin, "GET", `/devices/${other.body.id}/declared`)).status, 404)
  })

  test("[S6] each change stands once in the audit, with before and after; what changes nothing does not", async () => {
    const before = await acts()
    assert.deepEqual(
      before.map((act) => act.action),
      [
        "site.create",
        "site.create",
        "device.create",
        "device.create",
        "link.create",
        "link.update",
        "device.update",
        "link.delete",
        "link.create",
        "device.delete",
      ],
    )
    const update = before[6]!
    assert.equal(update.actor_id, "admin")
    assert.deepEqual([JSON.parse(text(update.before)).name, JSON.parse(text(update.after)).name], ["core1", "core-one"])
    assert.equal(JSON.parse(text(before[9]!.before)).links.length, 1)
    const [one] = inventory().devices
    assert.equal((await ask(admin, "PATCH", `/devices/${one!.id}`, { name: "core-one" })).status, 200)
    assert.equal((await ask(admin, "PUT", "/sites/pop-1", site("pop-1"))).status, 200)
    assert.equal((await ask(admin, "PATCH", `/devices/${one!.id}`, { address: "not an address" })).status, 422)
    assert.equal((await acts()).length, before.length)
  })
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

  test("[C23] refusals name the field: what an import document could not say, REST cannot either", async () => {
    const cases: ReadonlyArray<readonly [object, number, RegExp]> = [
      [{ address: "router.example.net" }, 422, /^address: .*host names are not taken/],
      [{ address: "224.0.0.1" }, 422, /^address: /],
      [{ site: "nowhere" }, 422, /no site "nowhere"/],
      [{ name: "core-one" }, 409, /already/],
      [{ name: " spaced" }, 422, /^name: /],
      [{ name: "line\nbreak" }, 422, /^name: .*control character/],
      [{ roles: ["core", "core"] }, 422, /^roles\[1\]: /],
    ]
    for (const [more, status, detail] of cases) {
      const answer = await ask(admin, "POST", "/devices", device("new", more))
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.body.detail, detail)
    }
    assert.equal((await ask(admin, "POST", "/devices", device("new", { pollSeconds: 0 }))).status, 400)
    assert.equal((await ask(admin, "DELETE", "/sites/pop-1")).status, 409)
    const [one] = inventory().devices
    const self = { device: one!.id, interface: "ether1" }
    assert.equal((await ask(admin, "POST", "/links", { a: self, b: self, capacityBps: null })).status, 422)
  })

  test("[O13] ETags: a careful writer's change fails with 412 when somebody else was there", async () => {
    const [one] = inventory().devices
    const path = `/devices/${one!.id}`
    const first = await ask(admin, "GET", `${path}/declared`)
    assert.match(first.etag!, /^"[\w-]{22}"$/)
    const changed = await ask(admin, "PATCH", path, { pollSeconds: 60 }, { "if-match": first.etag! })
    assert.equal(changed.status, 200)
    assert.notEqual(changed.etag, first.etag)
    assert.equal((await ask(admin, "PATCH", path, { pollSeconds: 10 }, { "if-match": first.etag! })).status, 412)
    assert.equal((await ask(admin, "GET", `${path}/declared`)).body.pollSeconds, 60)
    assert.equal((await ask(admin, "PATCH", path, { pollSeconds: 30 }, { "if-match": "*" })).status, 200)
    assert.equal((await ask(admin, "PUT", "/sites/pop-9", site("pop-9"), { "if-match": "*" })).status, 412)
    const place = await ask(admin, "GET", "/sites/pop-1")
    assert.equal((await ask(admin, "PUT", "/sites/pop-1", site("x"), { "if-match": place.etag! })).status, 200)
    assert.equal((await ask(admin, "PUT", "/sites/pop-1", site("y"), { "if-match": place.etag! })).status, 412)
  })

  test("[O13] the same Idempotency-Key makes one device; another body with it is refused; of ten at once one is made", async () => {
    const key = { "idempotency-key": "make-it-once" }
    const first = await ask(admin, "POST", "/devices", device("once"), key)
    const again = await ask(admin, "POST", "/devices", device("once"), key)
    assert.deepEqual([again.status, again.body], [200, first.body])
    assert.equal((await ask(admin, "POST", "/devices", device("twice"), key)).status, 422)
    const burst = await Promise.all(
      Array.from({ length: 10 }, () => ask(admin, "POST", "/devices", device("burst"), { "idempotency-key": "burst" })),
    )
    assert.ok(burst.some(({ status }) => status === 200))
    assert.ok(burst.every(({ status }) => status === 200 || status === 409))
    assert.equal(inventory().devices.filter(({ name }) => name === "burst").length, 1)
    for (const { id } of inventory().devices.filter(({ name }) => name === "once" || name === "burst"))
      assert.equal((await ask(admin, "DELETE", `/devices/${id}`)).status, 204)
  })

  test("[S4] a credential is written and never read: not in an answer, a refusal, the audit or a column", async () => {
    const [one] = inventory().devices
    const path = `/devices/${one!.id}/credentials`
    assert.equal((await ask(admin, "PUT", `${path}/snmp`, { version: "2c", community: CANARY })).status, 204)
    const declared = await ask(admin, "GET", `/devices/${one!.id}/declared`)
    assert.deepEqual(declared.body.credentials, ["snmp"])
    assert.deepEqual(inventory().devices[0]!.sources, ["snmp", "probe"])
    const wrong = [
      { version: CANARY },
      { [CANARY]: 1 },
      { user: "x", authProtocol: CANARY, authPassword: CANARY },
      { community: { deep: CANARY } },
      { community: `${CANARY}\u0007` },
      { port: 0, community: CANARY },
      {},
    ]
    const answers = [declared]
    for (const body of wrong)
      for (const kind of ["snmp", "routeros"]) {
        const answer = await ask(admin, "PUT", `${path}/${kind}`, body)
        assert.ok(answer.status === 422 || answer.status === 400, `${answer.status} ${JSON.stringify(body)}`)
        answers.push(answer)
      }
    answers.push(await ask(admin, "GET", "/export"))
    for (const answer of answers) assert.ok(!answer.text.includes(CANARY), answer.text)
    const tables = ["audit_entry", "inventory_revision", "credential", "device", "api_idempotency"]
    const rows = await owner(async (client) => {
      const found = []
      for (const table of tables) found.push(...(await client.query(`select t::text as row from ${table} t`)).rows)
      return found as ReadonlyArray<{ readonly row: string }>
    })
    const forms = [CANARY, Buffer.from(CANARY).toString("hex")]
    for (const { row } of rows) assert.ok(forms.every((form) => !row.includes(form)))
    assert.equal((await ask(admin, "DELETE", `${path}/routeros`)).status, 404)
  })

  test("[S3] who may not manage credentials neither sets them nor leads them to another address", async () => {
    const [one] = inventory().devices
    const path = `/devices/${one!.id}`
    assert.equal((await ask(manager, "PUT", `${path}/credentials/snmp`, { community: "x" })).status, 403)
    assert.equal((await ask(manager, "PATCH", path, { address: "203.0.113.66" })).status, 422)
    assert.equal((await ask(manager, "PATCH", path, { pollSeconds: 20 })).status, 200)
    const document = (more: object) =>
      JSON.stringify({
        sites: [{ id: "pop-1", ...site("pop-1") }],
        devices: [{ name: one!.name, address: one!.address, site: "pop-1", roles: ["core"], ...more }],
        links: [],
      })
    const led = await ask(manager, "POST", "/imports", { document: document({ address: "203.0.113.66" }) })
    assert.equal(led.status, 422)
    assert.match(led.body.detail, /credentials\.manage/)
    const set = await ask(manager, "POST", "/imports", { document: document({ snmp: { community: "mine" } }) })
    assert.equal(set.status, 422)
    assert.equal((await ask(manager, "POST", "/imports", { document: document({}) })).status, 200)
    assert.equal((await ask(admin, "PATCH", path, { address: "203.0.113.66" })).status, 200)
    assert.equal((await ask(admin, "DELETE", `${path}/credentials/snmp`)).status, 204)
    assert.equal((await ask(manager, "DELETE", path)).status, 403)
  })

  test("[T2] another tenant's things and those of other sites answer 404, and stay as they are", async () => {
    const far = (await ask(admin, "POST", "/devices", device("far", { site: "pop-2", address: "192.0.2.9" }))).body
    const near = inventory().devices.find(({ site: at }) => at === "pop-1")!
    const before = await ask(admin, "GET", "/export")
    for (const [token, id] of [
      [stranger, near.id],
      [technician, near.id],
    ] as const) {
      assert.equal((await ask(token, "GET", `/devices/${id}`)).status, 404)
      assert.equal((await ask(token, "GET", `/devices/${id}/declared`)).status, 404)
      assert.equal((await ask(token, "GET", `/devices/${id}/interfaces`)).status, 404)
      assert.equal((await ask(token, "PATCH", `/devices/${id}`, { name: "stolen" })).status, 404)
      assert.equal((await ask(token, "DELETE", `/devices/${id}`)).status, 404)
      assert.equal((await ask(token, "PUT", `/devices/${id}/credentials/snmp`, { community: "x" })).status, 404)
      assert.equal((await ask(token, "GET", "/sites/pop-1")).status, 404)
      assert.equal((await ask(token, "DELETE", "/sites/pop-1")).status, 404)
    }
    assert.equal((await ask(technician, "PATCH", `/devices/${far.id}`, { site: "pop-1" })).status, 422)
    assert.equal((await ask(technician, "PUT", "/sites/pop-1", site("mine"))).status, 422)
    assert.equal((await ask(technician, "POST", "/imports", { document: before.body.document })).status, 422)
    assert.deepEqual((await ask(admin, "GET", "/export")).body, before.body)
    const seen = await ask(technician, "GET", "/devices")
    assert.deepEqual(
      seen.body.items.map((one) => one.id),
      [far.id],
    )
    const own = JSON.parse((await ask(technician, "GET", "/export")).body.document)
    assert.deepEqual([own.sites.length, own.devices.length], [1, 1])
    assert.equal((await ask(technician, "PATCH", `/devices/${far.id}`, { pollSeconds: 5 })).status, 200)
    assert.equal((await ask(technician, "GET", "/status")).body.counts.routers, 1)
  })

  test("[T5] a quota that is used up answers 429 with its name and stores nothing", async () => {
    const there = inventory().devices.length
    server.quotas.set(server.a, "small", { ...MANY_REQUESTS, max_devices: there })
    const answer = await ask(admin, "POST", "/devices", device("one-too-many"))
    assert.deepEqual([answer.status, answer.body.quota, answer.body.limit], [429, "max_devices", there])
    assert.equal((await ask(admin, "PATCH", `/devices/${inventory().devices[0]!.id}`, { pollSeconds: 15 })).status, 200)
    assert.equal(inventory().devices.length, there)
    server.quotas.set(server.a, "large", MANY_REQUESTS)
  })

  test("[O13] of many changes at once the twin ends with the last revision", async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(admin, "POST", "/devices", device(`many-${index}`))),
    )
    assert.ok(made.every(({ status }) => status === 200))
    assert.equal(inventory().devices.filter(({ name }) => name.startsWith("many-")).length, 20)
    const gone = await Promise.all(made.map(({ body }) => ask(admin, "DELETE", `/devices/${body.id}`)))
    assert.ok(gone.every(({ status }) => status === 204))
    assert.equal(inventory().devices.filter(({ name }) => name.startsWith("many-")).length, 0)
  })
})
