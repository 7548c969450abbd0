/**
 * Thousands of bodies that nobody meant, to every route of the inventory that changes something: each is refused as the
 * caller's mistake or done, never a defect of ours. Half of them are near misses of right bodies, which get further.
 */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import fc from "fast-check"
import { useInventoryServer } from "#engine/api/inventory.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"

/** HELIOGRAPH settings are the engine's; a test's size is its own. */
const REQUESTS = 5_200
const AT_ONCE = 16

describe("bodies that nobody meant", { skip: NO_POSTGRES }, () => {
  const server = useInventoryServer()
  const { ask } = server
  let admin: string
  let device: string
  let link: string
  before(async () => {
    admin = server.as({ tenant: server.a, userId: "admin" })
    await ask(admin, "PUT", "/sites/pop-1", { name: "POP", latitude: 0, longitude: 0 })
    const made = []
    for (const name of ["r1", "r2"])
      made.push(
        (
          await ask(admin, "POST", "/devices", {
            name,
            address: "192.0.2.1",
            site: "pop-1",
            roles: ["core"],
            pollSeconds: 30,
            pingSeconds: null,
          })
        ).body.id as string,
      )
    device = made[0]!
    const ends = { a: { device, interface: "e1" }, b: { device: made[1], interface: "e1" } }
    link = (await ask(admin, "POST", "/links", { ...ends, capacityBps: null })).body.id
  })

  const odd = fc.oneof(
    fc.constantFrom("\u0000", "\uD800", "__proto__", "x".repeat(300), "192.0.2.1", "pop-1", "", " ", "core"),
    fc.constantFrom(null, 0, -0, -1, 1e308, 1.5, true, [], {}, ["core"], [["core"]], { __proto__: null }),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.jsonValue({ maxDepth: 3 }),
  )
  const member = fc.constantFrom(
    "name",
    "address",
    "site",
    "roles",
    "pollSeconds",
    "pingSeconds",
    "latitude",
    "longitude",
    "a",
    "b",
    "capacityBps",
    "device",
    "interface",
    "document",
    "community",
    "version",
    "user",
    "authProtocol",
    "password",
    "tls",
    "__proto__",
    "x",
  )
  const near = (right: object): fc.Arbitrary<object> =>
    fc
      .tuple(fc.dictionary(member, odd, { maxKeys: 3 }), fc.boolean())
      .map(([more, keep]) => ({ ...(keep ? right : {}), ...more }))

  const DEVICE = { name: "f", address: "192.0.2.7", site: "pop-1", roles: ["core"], pollSeconds: 30, pingSeconds: null }
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    near(DEVICE).map((one) => JSON.stringify({ sites: [], devices: [one], links: [one] })),
    fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
    fc
      .array(fc.string({ maxLength: 8 }), { maxLength: 12 })
      .map((cells) => `name,address,site,roles\n${cells.join(",")}`),
  )
  const request = (): fc.Arbitrary<readonly [method: string, path: string, body: unknown]> => {
    const id = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(device, link) },
      fc.uuid(),
      fc.string({ unit: "binary", minLength: 1, maxLength: 70 }).filter((it) => it.isWellFormed()),
    )
    const at = (base: string) => id.map((it) => `${base}/${it === "." || it === ".." ? "x" : encodeURIComponent(it)}`)
    const withBody = (method: string, path: fc.Arbitrary<string>, right: object) =>
      fc.tuple(fc.constant(method), path, fc.oneof(near(right), odd))
    const end = { device, interface: "e9" }
    return fc.oneof(
      withBody("POST", fc.constant("/devices"), DEVICE),
      withBody("PATCH", at("/devices"), { name: "g" }),
      withBody("PUT", at("/sites"), { name: "S", latitude: 1, longitude: 2 }),
      withBody("POST", fc.constant("/links"), { a: end, b: end, capacityBps: null }),
      withBody("PATCH", at("/links"), { capacityBps: 5 }),
      withBody(
        "PUT",
        fc
          .tuple(at("/devices"), fc.constantFrom("snmp", "routeros", "x"))
          .map(([it, kind]) => `${it}/credentials/${kind}`),
        {
          community: "c",
        },
      ),
      fc.tuple(
        fc.constantFrom("POST"),
        fc.constantFrom("/imports", "/imports?format=csv", "/imports?dryRun=true&format=csv"),
        text.map((document) => ({ document })),
      ),
    )
  }

  test(
    `[S9] ${REQUESTS} of them: each is the caller's mistake or is done, none is ours`,
    { timeout: 600_000 },
    async () => {
      const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
      const requests = fc.sample(request(), { numRuns: REQUESTS, seed })
      const tally = new Map<number, number>()
      const one = async ([method, path, body]: (typeof requests)[number]): Promise<void> => {
        const answer = await ask(admin, method, path, JSON.stringify(body) ?? "null")
        tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1)
        assert.ok(answer.status < 500, `seed ${seed}: ${method} ${path} ${JSON.stringify(body)} -> ${answer.text}`)
        if (answer.status >= 400) assert.match(answer.body.type, /^(urn:heliograph:|about:blank)/, answer.text)
      }
      for (let at = 0; at < requests.length; at += AT_ONCE) await Promise.all(requests.slice(at, at + AT_ONCE).map(one))
      // It reached both sides of every check: bodies that fit, and bodies that did not.
      const count = (low: number, high: number): number =>
        [...tally].reduce((sum, [status, times]) => sum + (status >= low && status <= high ? times : 0), 0)
      assert.ok(count(200, 299) > REQUESTS / 50, JSON.stringify([...tally]))
      assert.ok(count(400, 400) > REQUESTS / 20 && count(422, 422) > REQUESTS / 20, JSON.stringify([...tally]))
      assert.equal((await ask(admin, "GET", "/export")).status, 200)
    },
  )

  test("[S9] bodies that are no JSON at all, too deep, or of another type", async () => {
    for (const body of ["", "{", "nul", "[".repeat(5_000), '{"name":"\u0000"}', '"', "1".repeat(400)])
      for (const [method, path] of [
        ["POST", "/devices"],
        ["PATCH", `/devices/${device}`],
        ["POST", "/imports"],
      ] as const) {
        const answer = await ask(admin, method, path, body)
        assert.ok(
          answer.status >= 400 && answer.status < 500,
          `${method} ${path} ${body.slice(0, 20)} -> ${answer.text}`,
        )
      }
  })
})
