/** [I1] The tenant's rules over real HTTP on a real database: what is shipped, changed and own, and the twin that follows. */
import assert from "node:assert/strict"
import test, { before, describe } from "node:test"
import { MANY_REQUESTS } from "#engine/api/inventory.fixture.ts"
import { alertView } from "#engine/rules/judgement.fixture.ts"
import { useRulesServer } from "#engine/rules/rules-server.fixture.ts"
import { shippedRules } from "#engine/rules/rule-set.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import type { Rule } from "#protocol/rule.ts"
import { QUOTAS } from "#protocol/quota.ts"

interface Row {
  readonly rule: Rule
  readonly version: string
  readonly origin: string
  readonly updatedAtMs: number | null
  readonly updatedBy: string | null
  readonly pending: number
  readonly firing: number
}
const rowsOf = (body: unknown): readonly Row[] => (body as { items: readonly Row[] }).items
const rowOf = (body: unknown): Row => body as Row
const mistakesOf = (body: unknown) => (body as { mistakes: ReadonlyArray<{ path: string; problem: string }> }).mistakes

const SHIPPED = [...shippedRules().values()]
/** Shipped, but off until somebody wants them. */
const OFF = SHIPPED.filter(({ rule }) => !rule.enabled)
  .map(({ rule }) => rule.id)
  .toSorted()
const own = (id: string, more: Partial<Rule> = {}): Rule => ({
  id,
  rule_schema_version: "1",
  name: `Rule ${id}`,
  enabled: true,
  severity: "warn",
  scope: {},
  condition: {
    type: "threshold",
    metric: "device.cpu_pct",
    operator: ">",
    threshold_num: 85,
    aggregation: "avg",
    lookback_seconds: 600,
  },
  for_seconds: 0,
  recover_seconds: 60,
  cooldown_seconds: 300,
  annotations: { summary_template: "CPU of {{device}}", runbook_url: "https://example.net/cpu" },
  ...more,
})

describe("[I1] alert rules by REST", { skip: NO_POSTGRES }, () => {
  const server = useRulesServer()
  let admin: string
  let noc: string
  let bound: string
  let stranger: string
  before(() => {
    const { a, b } = server
    admin = server.as({ tenant: a, userId: "admin" })
    noc = server.as({ tenant: a, userId: "noc", roles: ["noc"] })
    bound = server.as({ tenant: a, userId: "bound", sites: ["pop-2"] })
    stranger = server.as({ tenant: b, userId: "stranger" })
  })
  const ask = (...args: Parameters<typeof server.ask>) => server.ask(...args)
  const judged = (): readonly Rule[] => server.judgement(server.a).rules().rules
  const judgedIds = (): readonly string[] => judged().map(({ id }) => id)

  test("[I1] a tenant that wrote nothing is judged by every shipped rule, from its start on", async () => {
    assert.deepEqual(judgedIds().toSorted(), SHIPPED.map(({ rule }) => rule.id).toSorted())
    const { status, body } = await ask(noc, "GET", "/alert-rules?limit=1000")
    assert.equal(status, 200)
    const rows = rowsOf(body)
    assert.equal(rows.length, SHIPPED.length)
    for (const row of rows) {
      assert.match(row.origin, /^pack:/)
      assert.deepEqual([row.updatedAtMs, row.updatedBy], [null, null])
    }
    assert.deepEqual(
      rows.map(({ rule }) => rule.id),
      rows.map(({ rule }) => rule.id).toSorted(),
    )
  })

  test("[I1] pages, the text filter and the switch find every rule exactly once", async () => {
    const found: string[] = []
    let cursor = ""
    for (;;) {
      const { body } = await ask(noc, "GET", `/alert-rules?limit=7${cursor}`)
      found.push(...rowsOf(body).map(({ rule }) => rule.id))
      const { next } = body as unknown as { next: string | null }
      if (next === null) break
      cursor = `&cursor=${next}`
    }
    assert.equal(found.length, SHIPPED.length)
    assert.equal(new Set(found).size, SHIPPED.length)
    const bgp = rowsOf((await ask(noc, "GET", "/alert-rules?q=BGP&limit=1000")).body)
    assert.ok(bgp.length > 0 && bgp.length < SHIPPED.length)
    const off = rowsOf((await ask(noc, "GET", "/alert-rules?enabled=false")).body)
    assert.deepEqual(
      off.map(({ rule }) => rule.id),
      OFF,
    )
    assert.equal((await ask(noc, "GET", "/alert-rules?cursor=!")).status, 400)
  })

  test("[I1] packs name the shipped rules, and every one belongs to one", async () => {
    const { items } = (await ask(noc, "GET", "/alert-rules/packs")).body as unknown as {
      items: ReadonlyArray<{ id: string; rules: readonly string[] }>
    }
    assert.deepEqual(items.flatMap(({ rules }) => rules).toSorted(), SHIPPED.map(({ rule }) => rule.id).toSorted())
  })

  test("[I1] an own rule: written, read with its tag, changed carefully, judged at once, removed", async () => {
    const made = await ask(admin, "PUT", "/alert-rules/core-cpu", own("core-cpu"))
    assert.equal(made.status, 200, made.text)
    const row = rowOf(made.body)
    assert.deepEqual([row.origin, row.updatedBy, row.rule], ["own", "admin", own("core-cpu")])
    assert.equal(row.updatedAtMs, server.clock.ms)
    assert.ok(judgedIds().includes("core-cpu"))
    const read = await ask(noc, "GET", "/alert-rules/core-cpu")
    assert.equal(read.etag, made.etag)
    const stale = await ask(admin, "PUT", "/alert-rules/core-cpu", own("core-cpu", { enabled: false }), {
      "if-match": '"other"',
    })
    assert.equal(stale.status, 412)
    assert.ok(judged().find(({ id }) => id === "core-cpu")?.enabled)
    const changed = await ask(admin, "PUT", "/alert-rules/core-cpu", own("core-cpu", { enabled: false }), {
      "if-match": made.etag!,
    })
    assert.equal(changed.status, 200)
    assert.notEqual(rowOf(changed.body).version, row.version)
    assert.equal(judged().find(({ id }) => id === "core-cpu")?.enabled, false)
    assert.equal((await ask(admin, "DELETE", "/alert-rules/core-cpu")).status, 204)
    assert.equal((await ask(admin, "GET", "/alert-rules/core-cpu")).status, 404)
    assert.ok(!judgedIds().includes("core-cpu"))
    assert.equal((await ask(admin, "DELETE", "/alert-rules/core-cpu")).status, 404)
  })

  test("[I1] a shipped rule is overridden, told as changed, and is as shipped again when that is removed", async () => {
    const { rule, version } = SHIPPED.find((one) => one.rule.enabled)!
    const refused = await ask(admin, "DELETE", `/alert-rules/${rule.id}`)
    assert.equal(refused.status, 422)
    assert.match(refused.body.detail, /switch it off/)
    const off = await ask(admin, "PUT", `/alert-rules/${rule.id}`, { ...rule, enabled: false })
    assert.equal(rowOf(off.body).origin, "changed", off.text)
    assert.equal(judged().find(({ id }) => id === rule.id)?.enabled, false)
    assert.equal(judged().length, SHIPPED.length)
    const listed = rowsOf((await ask(noc, "GET", "/alert-rules?enabled=false")).body)
    assert.deepEqual(
      listed.map((row) => row.rule.id),
      [...OFF, rule.id].toSorted(),
    )
    assert.equal((await ask(admin, "DELETE", `/alert-rules/${rule.id}`)).status, 204)
    const again = rowOf((await ask(noc, "GET", `/alert-rules/${rule.id}`)).body)
    assert.deepEqual([again.version, again.updatedBy], [version, null])
    assert.match(again.origin, /^pack:/)
  })

  test("[I1] the text of the shipped rule, written over the changed one, leaves no override behind", async () => {
    const { rule } = SHIPPED[1]!
    await ask(admin, "PUT", `/alert-rules/${rule.id}`, { ...rule, cooldown_seconds: 999 })
    const back = await ask(admin, "PUT", `/alert-rules/${rule.id}`, rule)
    assert.match(rowOf(back.body).origin, /^pack:/)
    assert.equal((await ask(admin, "DELETE", `/alert-rules/${rule.id}`)).status, 422)
  })

  test("[I1] mistakes are told by path, nothing is stored, and the check says the same", async () => {
    const before = judged()
    const bad = { ...own("bad"), condition: { ...own("bad").condition, metric: "device.nonsense" }, extra: 1 }
    const refused = await ask(admin, "PUT", "/alert-rules/bad", bad)
    assert.equal(refused.status, 422)
    assert.equal(refused.body.type, "urn:heliograph:rule-invalid")
    assert.deepEqual(
      mistakesOf(refused.body)
        .map(({ path }) => path)
        .toSorted(),
      ["condition.metric", "extra"],
    )
    const checked = await ask(admin, "POST", "/alert-rules/check", { rule: bad })
    assert.deepEqual(mistakesOf(checked.body), mistakesOf(refused.body))
    assert.equal((checked.body as unknown as { version: null }).version, null)
    const good = await ask(admin, "POST", "/alert-rules/check", { rule: own("good") })
    assert.deepEqual(mistakesOf(good.body), [])
    assert.match((good.body as unknown as { version: string }).version, /^[0-9a-f]{16}$/)
    const named = await ask(admin, "PUT", "/alert-rules/one", own("other"))
    assert.deepEqual(
      mistakesOf(named.body).map(({ path }) => path),
      ["id"],
    )
    for (const word of ["packs", "export", "check", "import", "dry-run"])
      assert.equal((await ask(admin, "PUT", `/alert-rules/${word}`, own(word))).status, 422, word)
    for (const body of [{ rule: null }, { rule: "x" }, { rule: [] }, { rule: 7 }])
      assert.ok(mistakesOf((await ask(admin, "POST", "/alert-rules/check", body)).body).length > 0)
    assert.equal(judged(), before)
  })

  test("[I1] a wish that changes nothing is no act, and the twin is told nothing", async () => {
    await ask(admin, "PUT", "/alert-rules/same", own("same"))
    const [acts, told] = [await server.acts(), server.judgement(server.a).told.rules]
    const again = await ask(admin, "PUT", "/alert-rules/same", own("same"))
    assert.equal(again.status, 200)
    assert.deepEqual(await server.acts(), acts)
    assert.equal(server.judgement(server.a).told.rules, told)
    await ask(admin, "DELETE", "/alert-rules/same")
  })

  test("[I1] import merges or replaces, all or nothing, and a dry run writes nothing", async () => {
    await ask(admin, "PUT", "/alert-rules/kept", own("kept"))
    const shipped = { ...SHIPPED[2]!.rule, enabled: false }
    await ask(admin, "PUT", `/alert-rules/${shipped.id}`, shipped)
    const send = (mode: string, rules: readonly unknown[], dryRun = false) =>
      ask(admin, "POST", "/alert-rules/import", { mode, rules, dryRun })
    const dry = await send("replace", [own("new")], true)
    assert.deepEqual(
      { ...dry.body },
      { dryRun: true, added: ["new"], changed: [], removed: [shipped.id, "kept"].toSorted(), unchanged: 0 },
    )
    assert.ok(judgedIds().includes("kept") && !judgedIds().includes("new"))
    const broken = await send("merge", [own("new"), { ...own("newer"), name: 5 }, own("new")])
    assert.deepEqual(
      mistakesOf(broken.body).map(({ path }) => path),
      ["rules[1].name", "rules[2].id"],
    )
    assert.ok(!judgedIds().includes("new"))
    const acts = (await server.acts()).length
    const merged = await send("merge", [own("new"), own("kept")])
    assert.deepEqual({ ...merged.body }, { dryRun: false, added: ["new"], changed: [], removed: [], unchanged: 1 })
    const replaced = await send("replace", [own("new")])
    assert.deepEqual(
      (replaced.body as unknown as { removed: string[] }).removed.toSorted(),
      [shipped.id, "kept"].toSorted(),
    )
    assert.deepEqual(judgedIds(), [...SHIPPED.map(({ rule }) => rule.id), "new"].toSorted())
    assert.equal(judged().find(({ id }) => id === shipped.id)?.enabled, true)
    assert.equal((await server.acts()).length, acts + 2)
  })

  test("[I1] an export is an import: what it holds, replaced into another tenant, judges alike", async () => {
    const { rules } = (await ask(noc, "GET", "/alert-rules/export")).body as unknown as { rules: readonly Rule[] }
    assert.deepEqual(
      rules.map(({ id }) => id),
      ["new"],
    )
    const sent = await ask(stranger, "POST", "/alert-rules/import", { mode: "replace", rules, dryRun: false })
    assert.equal(sent.status, 200, sent.text)
    assert.deepEqual(server.judgement(server.b).rules().rules, judged())
    const all = (await ask(noc, "GET", "/alert-rules/export?all=true")).body as unknown as { rules: readonly Rule[] }
    assert.equal(all.rules.length, SHIPPED.length + 1)
    await ask(stranger, "DELETE", "/alert-rules/new")
    assert.ok(judgedIds().includes("new"), "the other tenant's act changed nothing here")
  })

  test("[T5] max_rules: N is stored, N + 1 is refused by its name; changing one is never growing", async () => {
    server.quotas.set(server.a, "small", { ...MANY_REQUESTS, max_rules: SHIPPED.length + 2 })
    assert.equal((await ask(admin, "PUT", "/alert-rules/second", own("second"))).status, 200)
    const refused = await ask(admin, "PUT", "/alert-rules/third", own("third"))
    assert.deepEqual([refused.status, refused.body.quota], [429, "max_rules"])
    assert.equal((await ask(admin, "PUT", "/alert-rules/second", own("second", { enabled: false }))).status, 200)
    const use = server.quotas.used(server.a).find(({ name }) => name === "max_rules")
    assert.equal(use?.used, SHIPPED.length + 2)
    server.quotas.set(server.a, "large", MANY_REQUESTS)
    await ask(admin, "DELETE", "/alert-rules/second")
  })

  test("[T5] max_rule_window_s: N is stored, N + 1 is refused; no shipped rule is beyond the smallest tier", async () => {
    const looking = (seconds: number) =>
      own("far", { condition: { type: "absent", metric: "device.cpu_pct", seconds } })
    server.quotas.set(server.a, "small", { ...MANY_REQUESTS, max_rule_window_s: 7_200 })
    assert.equal((await ask(admin, "PUT", "/alert-rules/far", looking(7_200))).status, 200)
    const refused = await ask(admin, "PUT", "/alert-rules/far", looking(7_201))
    assert.deepEqual([refused.status, refused.body.quota, refused.body.limit], [429, "max_rule_window_s", 7_200])
    server.quotas.set(server.a, "small", MANY_REQUESTS)
    for (const { rule } of SHIPPED) {
      const { status, text } = await ask(admin, "PUT", `/alert-rules/${rule.id}`, { ...rule, cooldown_seconds: 301 })
      assert.equal(status, 200, text)
    }
    const { removed } = (await ask(admin, "POST", "/alert-rules/import", { mode: "replace", rules: [], dryRun: false }))
      .body as unknown as { removed: readonly string[] }
    assert.equal(removed.length, SHIPPED.length + 2)
    assert.ok(QUOTAS.max_rules.small > SHIPPED.length * 2)
    server.quotas.set(server.a, "large", MANY_REQUESTS)
  })

  test("[I1] whoever is bound to sites reads rules and counts the alerts of these sites, and changes none of everybody's", async () => {
    const { r1, r2 } = server.devices
    const rule = SHIPPED[0]!.rule.id
    server.judgement(server.a).alertList = [
      alertView({ device: r1, rule }),
      alertView({ device: r2, rule, state: "pending", firedMs: null }),
    ]
    const count = async (who: string) => {
      const { pending, firing } = rowOf((await ask(who, "GET", `/alert-rules/${rule}`)).body)
      return [pending, firing]
    }
    assert.deepEqual(await count(admin), [1, 1])
    assert.deepEqual(await count(bound), [1, 0])
    assert.equal((await ask(bound, "PUT", "/alert-rules/mine", own("mine"))).status, 422)
    assert.equal((await ask(bound, "DELETE", `/alert-rules/${rule}`)).status, 422)
    server.judgement(server.a).alertList = []
  })

  test("[I2] whoever is bound to sites changes rules of these sites alone, and no other by any way", async () => {
    const scoped = (id: string, ...sites: readonly string[]) => own(id, { scope: { by_site_ids: sites } })
    const put = async (who: string, id: string, json: unknown) =>
      (await ask(who, "PUT", `/alert-rules/${id}`, json)).status
    const acts = (await server.acts()).length
    assert.equal(await put(bound, "pop2", scoped("pop2", "pop-2")), 200)
    assert.equal(await put(bound, "pop2", { ...scoped("pop2", "pop-2"), cooldown_seconds: 77 }), 200)
    assert.ok(judgedIds().includes("pop2"))
    // Wider than their sites, or of everybody: neither before nor after.
    for (const sites of [["pop-1"], ["pop-1", "pop-2"]])
      assert.equal(await put(bound, "pop2", scoped("pop2", ...sites)), 422)
    assert.equal(await put(bound, "pop2", own("pop2")), 422)
    assert.equal(await put(bound, "pop2", own("pop2", { scope: { by_roles: ["core"] } })), 422)
    const shipped = SHIPPED[0]!.rule
    assert.equal(await put(bound, shipped.id, { ...shipped, scope: { by_site_ids: ["pop-2"] } }), 422)
    assert.equal(await put(admin, "all", own("all")), 200)
    assert.equal(await put(bound, "all", scoped("all", "pop-2")), 422)
    assert.equal((await ask(bound, "DELETE", "/alert-rules/all")).status, 422)
    // What an administrator gave a shipped rule's id to comes back to everybody when it is removed.
    assert.equal(await put(admin, shipped.id, { ...shipped, scope: { by_site_ids: ["pop-2"] } }), 200)
    assert.equal((await ask(bound, "DELETE", `/alert-rules/${shipped.id}`)).status, 422)
    const load = (rules: readonly unknown[], mode = "merge") =>
      ask(bound, "POST", "/alert-rules/import", { mode, rules, dryRun: false })
    assert.equal((await load([scoped("more", "pop-2"), scoped("else", "pop-1")])).status, 422)
    assert.equal((await load([scoped("all", "pop-2")])).status, 422)
    assert.equal((await load([], "replace")).status, 422)
    assert.equal((await load([scoped("more", "pop-2")])).status, 200)
    for (const id of ["pop2", "more"]) assert.equal((await ask(bound, "DELETE", `/alert-rules/${id}`)).status, 204)
    // Two puts, three of an administrator's, one import, two removals: what was refused is no act.
    assert.equal((await server.acts()).length - acts, 7)
    for (const id of ["all", shipped.id]) assert.equal((await ask(admin, "DELETE", `/alert-rules/${id}`)).status, 204)
  })

  test("[I1] a twin that is being rebuilt, or refuses, loses no rule: it is told when it is back", async () => {
    server.rebuilding(server.a, true)
    assert.equal((await ask(admin, "PUT", "/alert-rules/late", own("late"))).status, 200)
    server.rebuilding(server.a, false)
    assert.ok(!judgedIds().includes("late"))
    server.judgement(server.a).refuses = true
    assert.equal((await ask(admin, "PUT", "/alert-rules/later", own("later"))).status, 200)
    server.judgement(server.a).refuses = false
    assert.equal((await ask(admin, "PUT", "/alert-rules/last", own("last"))).status, 200)
    for (const id of ["late", "later", "last"]) assert.ok(judgedIds().includes(id), id)
  })

  test("[I1] a dry run on the stored journal says what would have fired, to whoever sees the device, and changes nothing", async () => {
    const { r1, r2 } = server.devices
    const nowMs = Date.now()
    const silent = own("silent", { condition: { type: "absent", metric: "device.cpu_pct", seconds: 1 } })
    const body = { rules: [silent], only: true, fromMs: nowMs - 600_000, toMs: nowMs + 5_000 }
    const [acts, told] = [await server.acts(), server.judgement(server.a).told.rules]
    interface Ran {
      readonly inputs: number
      readonly rules: ReadonlyArray<{
        id: string
        fired: number
        alerts: ReadonlyArray<{ device: string; deviceName: string }>
      }>
    }
    const send = async (who: string, more: object = {}): Promise<Ran> => {
      const { status, body: answer, text } = await ask(who, "POST", "/alert-rules/dry-run", { ...body, ...more })
      assert.equal(status, 200, text)
      return answer as unknown as Ran
    }
    const all = await send(admin)
    assert.ok(all.inputs >= 2, "the two devices were declared")
    assert.deepEqual(
      all.rules.map(({ id, fired, alerts }) => [id, fired, alerts.map(({ deviceName }) => deviceName).toSorted()]),
      [["silent", 2, ["r1", "r2"]]],
    )
    const devicesOf = ({ rules }: Ran) => rules[0]!.alerts.map(({ device }) => device)
    assert.deepEqual(devicesOf(await send(bound)), [r2])
    assert.deepEqual(devicesOf(await send(bound, { devices: [r1] })), [])
    assert.deepEqual(devicesOf(await send(admin, { devices: [r1] })), [r1])
    const among = await send(admin, { only: false })
    assert.equal(among.rules.length, judged().filter(({ enabled }) => enabled).length + 1)
    assert.equal((await ask(noc, "POST", "/alert-rules/dry-run", body)).status, 403)
    const bad = await ask(admin, "POST", "/alert-rules/dry-run", { ...body, rules: [{ id: "x" }] })
    assert.equal(bad.body.type, "urn:heliograph:rule-invalid")
    const backwards = await ask(admin, "POST", "/alert-rules/dry-run", { ...body, toMs: 0 })
    assert.match(backwards.body.detail, /after/)
    assert.deepEqual([await server.acts(), server.judgement(server.a).told.rules], [acts, told])
  })

  test("[S6] every change is on record with who, what before and what after", async () => {
    const actions = new Set((await server.acts()).map(({ action }) => action))
    for (const action of ["rule.create", "rule.update", "rule.delete", "rule.import"])
      assert.ok(actions.has(action), action)
  })
})
