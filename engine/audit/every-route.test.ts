/**
 * [S6] Every mutating route leaves exactly one row in the audit: the routes are those of the Api itself, each is called
 * once on the whole engine, and one that is missing in the table fails the test. A new route is one row, here or beside what
 * it belongs to (*-calls.fixture.ts).
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import type { Ask, Prepare } from "#engine/audit/calls.fixture.ts"
import { incidentCalls } from "#engine/audit/incident-calls.fixture.ts"
import { firingOf, judgementCalls } from "#engine/audit/judgement-calls.fixture.ts"
import { PASSWORD, peopleCalls, signInAdmin, tokensOf } from "#engine/audit/people-calls.fixture.ts"
import { topologyCalls } from "#engine/audit/topology-calls.fixture.ts"
import { ROUTES, type RouteName } from "#engine/access/entries.ts"
import { Api } from "#engine/api/contract.ts"
import { ADMIN_PASSWORD, useTwoTenants } from "#engine/isolation/two-tenants.fixture.ts"
import { rememberIdentities } from "#engine/privacy/identities.ts"
import { openMonthKey, pseudonymOf } from "#engine/privacy/pseudonym.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { listTenants } from "#engine/storage/tenants.ts"
import { openVault } from "#engine/storage/vault.ts"

interface Endpoint {
  readonly method: string
  readonly path: string
}
const endpoints = new Map<string, Endpoint>(
  Object.entries(Api.groups as Record<string, { readonly endpoints: Record<string, Endpoint> }>).flatMap(
    ([group, { endpoints: own }]) =>
      Object.entries(own).map(([name, endpoint]) => [`${group}.${name}`, endpoint] as const),
  ),
)
const SAFE = new Set(["GET", "HEAD", "OPTIONS"])
/** Nothing that is kept changes by these, and a hand on a slider asks many a second: they leave none. */
const STEERING = new Set(["replays.update", "replays.remove", "replays.leave"])
/** A question in a body. */
const ASKING = new Set(["alertRules.check", "alertRules.dryRun", "whatIf.ask", "replays.whatIf"])
const mutating = [...endpoints]
  .filter(([name, { method }]) => !SAFE.has(method) && !STEERING.has(name) && !ASKING.has(name))
  .map(([name]) => name)

describe("[S6] every mutating route leaves exactly one row", { skip: NO_POSTGRES }, () => {
  const it = useTwoTenants()
  let admin = ""
  const shown = new Set<string>()
  const uniques = new Map<string, number>()
  const unique = (word: string): string => {
    uniques.set(word, (uniques.get(word) ?? 0) + 1)
    return `${word}-${uniques.get(word)}`
  }

  // --- asking

  const ask: Ask = async (name, call) => {
    const { method, path } = endpoints.get(name)!
    const place = path.replace(/:([A-Za-z]+)/g, (_, param: string) => encodeURIComponent(call.params?.[param] ?? param))
    const who = call.as === undefined ? admin : call.as
    const answer = await fetch(`${it.url}${place}?${new URLSearchParams(call.query)}`, {
      method,
      headers: {
        ...(who === null ? {} : { [who.startsWith("Bearer ") ? "authorization" : "cookie"]: who }),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        origin: it.url,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
    const text = await answer.text()
    const cookie = (answer.headers.getSetCookie()[0] ?? "").split(";", 1)[0]!
    // Keys, tokens, cookies: what is shown once.
    for (const [token] of `${text} ${cookie}`.matchAll(/[\w-]{22}\.[\w-]{43}/g)) shown.add(token.split(".")[1]!)
    assert.ok(answer.status < 300, `${name}: ${answer.status} ${text}`)
    return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as never, cookie }
  }
  /** Rows of all tenants, each with its action. */
  const rows = (): Promise<readonly string[]> =>
    Effect.runPromise(
      Effect.gen(function* () {
        const found: string[] = []
        for (const { id, slug } of yield* listTenants(it.db))
          yield* it.db.tenant(id)(async (tx) => {
            const { rows: own } = await tx.query<{ seq: string; action: string }>(
              "select seq, action from audit_entry where tenant_id = $1 order by seq",
              [id],
            )
            found.push(...own.map(({ seq, action }) => `${slug} ${seq} ${action}`))
          })
        return found
      }),
    )

  // --- what a call needs to be there

  const twinOfA = () => it.engine.tenants().find((one) => one.twin.tenant.id === it.a.id)!.twin
  const nextRound = (): Promise<void> =>
    new Promise((heard) => {
      const stop = twinOfA().onRound(() => {
        stop()
        heard()
      })
    })
  const people = { ask, unique, tenants: it }
  const judgement = { ask, unique, nextRound }
  const site = async (): Promise<string> => {
    const id = unique("pop")
    await ask("inventory.putSite", { params: { id }, body: { name: id, latitude: 1, longitude: 1 } })
    return id
  }
  let hosts = 0
  const deviceBody = async () => ({
    name: unique("router"),
    address: `127.7.0.${++hosts}`,
    site: await site(),
    roles: ["core"],
    pollSeconds: 3600,
    pingSeconds: 0,
  })
  const device = async (): Promise<string> =>
    ((await ask("inventory.createDevice", { body: await deviceBody() })).body as { id: string }).id
  const linkBody = async () => ({
    a: { device: await device(), interface: "ether1" },
    b: { device: await device(), interface: "ether1" },
    capacityBps: 1e9,
  })
  const link = async (): Promise<string> =>
    ((await ask("inventory.createLink", { body: await linkBody() })).body as { id: string }).id
  const SNMP = { community: "a-community-of-the-test" }
  const settingsBody = async (): Promise<object> => {
    const now: object = (await ask("settings.get", {})).body
    return { ...now, subscriberIdentities: true, subscriberDays: 10 }
  }
  /** A tenant that opted in, and somebody whom one of its routers told of. */
  const subscriber = async (): Promise<string> => {
    const { id } = it.a
    await ask("settings.put", { body: await settingsBody() })
    const vault = await Effect.runPromise(openVault(it.db, { dataDir: it.config.dataDir }))
    return Effect.runPromise(
      it.db.tenant(id)(async (tx) => {
        const month = await openMonthKey(tx, vault, id, Date.now())
        const pseudonym = pseudonymOf(month, "maria")
        await rememberIdentities(tx, vault, id, month, new Map([[pseudonym, "maria"]]), Date.now())
        return pseudonym
      }),
    )
  }
  const tenant = async (): Promise<string> => {
    const slug = unique("isp")
    await ask("tenants.create", { body: { slug, name: slug } })
    return slug
  }

  /** Prepares, and gives the one call that is counted with the action that it leaves. */
  const TABLE: Readonly<Record<string, Prepare>> = {
    ...peopleCalls(people),
    "inventory.putSite": async () => ({
      params: { id: await site() },
      body: { name: "another name", latitude: 2, longitude: 2 },
      action: /^site\./,
    }),
    "inventory.removeSite": async () => ({ params: { id: await site() }, action: /^site\./ }),
    "inventory.createDevice": async () => ({ body: await deviceBody(), action: /^device\.create$/ }),
    "inventory.updateDevice": async () => ({
      params: { id: await device() },
      body: { pollSeconds: 1800 },
      action: /^device\.update$/,
    }),
    "inventory.removeDevice": async () => ({ params: { id: await device() }, action: /^device\./ }),
    "inventory.putCredential": async () => ({
      params: { id: await device(), kind: "snmp" },
      body: SNMP,
      action: /^(credential|device)\./,
    }),
    "inventory.removeCredential": async () => {
      const id = await device()
      await ask("inventory.putCredential", { params: { id, kind: "snmp" }, body: SNMP })
      return { params: { id, kind: "snmp" }, action: /^(credential|device)\./ }
    },
    "inventory.createLink": async () => ({ body: await linkBody(), action: /^link\.create$/ }),
    "inventory.updateLink": async () => ({
      params: { id: await link() },
      body: { capacityBps: 2e9 },
      action: /^link\.update$/,
    }),
    "inventory.removeLink": async () => ({ params: { id: await link() }, action: /^link\./ }),
    "inventory.import": async () => ({
      body: {
        document: JSON.stringify({
          sites: [{ id: unique("imported"), name: "Imported", latitude: 1, longitude: 1 }],
          devices: [],
          links: [],
        }),
      },
      action: /^inventory\.import$/,
    }),
    "tenants.create": async () => {
      const slug = unique("isp")
      return { body: { slug, name: slug }, action: /^tenant\.create$/ }
    },
    "tenants.update": async () => ({
      params: { slug: await tenant() },
      body: { suspended: true },
      action: /^tenant\./,
    }),
    "tenants.setQuotas": async () => ({
      params: { slug: await tenant() },
      body: { max_users: 7 },
      action: /^(tenant|quotas?)\./,
    }),
    "tenants.offboard": async () => {
      const slug = await tenant()
      return { params: { slug }, body: { confirm: slug, reason: "they left" }, action: /^tenant\.offboard$/ }
    },
    // The tenant that is looked into must see it, too: one row in each of the two audits.
    "tenants.enter": async () => ({
      as: await signInAdmin(people),
      params: { slug: it.b.slug },
      body: { reason: "ticket 4711", minutes: 1 },
      action: /^tenant\.enter$/,
      audits: [it.a.slug, it.b.slug],
    }),
    "settings.put": async () => ({ body: await settingsBody(), action: /^settings\.update$/ }),
    "replays.create": async () => ({ body: { fromMs: Date.now() }, action: /^replay\.create$/ }),
    "replays.branch": async () => ({ params: await aReplay(), body: {}, action: /^replay\.branch$/ }),
    "replays.hear": async () => ({ params: await aReplay(), body: { faults: [] }, action: /^replay\.branch-inputs$/ }),
    ...judgementCalls(judgement),
    ...topologyCalls({ ask, device, link, unique, submit: (poll) => twinOfA().submit(poll) }),
    ...incidentCalls({ ask, alarm: async () => void (await firingOf(judgement)("critical")), nextRound }),
    "audit.export": async () => ({ body: {}, action: /^audit\.export$/ }),
    "subscribers.reveal": async () => ({
      body: { pseudonym: await subscriber(), reason: "ticket 4711" },
      action: /^subscriber\.reveal$/,
    }),
  }

  const aReplay = async () => ((await ask("replays.list", {})).body as { items: [{ id: string }] }).items[0]

  test("[S6] no mutating route is missing here, and none is here that is gone", () => {
    const listed = Object.keys(TABLE).sort()
    assert.deepEqual(listed, mutating.toSorted())
    assert.ok(mutating.every((name) => Object.hasOwn(ROUTES, name)))
  })

  test("[S6] somebody signs in to begin with", async () => {
    admin = await signInAdmin(people)
  })

  for (const [name, prepare] of Object.entries(TABLE)) {
    test(`[S6] ${name} leaves exactly one row`, async () => {
      const { action, audits = [it.a.slug], ...call } = await prepare()
      const before = await rows()
      await ask(name as RouteName, call)
      const after = (await rows()).filter((row) => !before.includes(row))
      assert.deepEqual(
        after.map((row) => row.split(" ")[0]),
        audits,
        `${name} left ${JSON.stringify(after)}`,
      )
      for (const row of after) assert.match(row.split(" ")[2]!, action)
    })
  }
  test("[S6] a refresh token that is used again leaves its row, though its caller is refused", async () => {
    const { refreshToken } = await tokensOf(people)
    await ask("tokens.refresh", { as: null, body: { refreshToken } })
    const before = await rows()
    await assert.rejects(ask("tokens.refresh", { as: null, body: { refreshToken } }), /401/)
    const after = (await rows()).filter((row) => !before.includes(row))
    assert.equal(after.length, 1, JSON.stringify(after))
  })

  test("[S6] what only reads leaves none", async () => {
    const before = await rows()
    for (const name of ["audit.list", "audit.verify", "network.devices", "users.list", "keys.list"] as const)
      await ask(name, {})
    const params = await aReplay()
    await ask("replays.update", { params, body: { playing: true } })
    await ask("replays.leave", { params })
    await ask("replays.remove", { params })
    assert.deepEqual(await rows(), before)
  })

  test("[S6] the chain of all this is whole, and no secret stands in it", async () => {
    const verdict = (await ask("audit.verify", {})).body as { intact: boolean; rows: number }
    assert.equal(verdict.intact, true)
    assert.ok(verdict.rows > mutating.length)
    const exported = (await ask("audit.export", { body: {} })).body as { lines: string }
    assert.ok(shown.size > 20)
    for (const secret of [PASSWORD, ADMIN_PASSWORD, SNMP.community, "$argon2", ...shown])
      assert.ok(!exported.lines.includes(secret), `${secret} stands in the audit`)
  })
})
