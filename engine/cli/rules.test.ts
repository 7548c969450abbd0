/** [I1] [I5] `heliograph rules` and `verify-receipt`: files alone, against an engine's API, and on a stored journal. */
import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test, { after, before, describe } from "node:test"
import * as Effect from "effect/Effect"
import { main } from "#engine/cli.ts"
import { report } from "#engine/cli/rules.ts"
import { useTwoTenants, type TwoTenants } from "#engine/isolation/two-tenants.fixture.ts"
import { live, RING } from "#engine/replay/past.fixture.ts"
import { dryRun } from "#engine/rules/dry-run.ts"
import { OneDevice } from "#engine/rules/one-device.fixture.ts"
import { useRulesServer } from "#engine/rules/rules-server.fixture.ts"
import { shippedRules } from "#engine/rules/rule-set.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { poll, START_MS } from "#engine/tenant/network.fixture.ts"
import type { Rule } from "#protocol/rule.ts"

const dir = mkdtempSync(join(tmpdir(), "heliograph-rules-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = (name: string, content: unknown): string => {
  const path = join(dir, name)
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content))
  chmodSync(path, 0o600)
  return path
}
const heliograph = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
  const said = { out: "", err: "" }
  const code = await main(args, {
    env,
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  })
  return { code, ...said }
}
const rules = (...args: readonly string[]) => heliograph({}, "rules", ...args)

const cpu = (threshold_num: number, more: object = {}): Rule =>
  ({
    id: "my-cpu",
    rule_schema_version: "1",
    name: "My CPU",
    enabled: true,
    severity: "warn",
    scope: {},
    condition: {
      type: "threshold",
      metric: "device.cpu_pct",
      operator: ">",
      threshold_num,
      aggregation: "last",
      lookback_seconds: 60,
    },
    for_seconds: 0,
    recover_seconds: 0,
    cooldown_seconds: 0,
    annotations: { summary_template: "{{value}}", runbook_url: "https://example.net/cpu" },
    ...more,
  }) as Rule

describe("[I1] heliograph rules on files alone", () => {
  test("[I1] check names every mistake by its path; one rule, a list and an export are read alike", async () => {
    for (const content of [cpu(1), [cpu(1)], { rules: [cpu(1)] }])
      assert.deepEqual(await rules("check", file("good.json", content)), {
        code: 0,
        out: "1 rule, no mistake\n",
        err: "",
      })
    const bad = file("bad.json", [cpu(1), cpu(1, { id: "other", severity: "loud" }), cpu(2)])
    const { code, out } = await rules("check", bad)
    assert.equal(code, 1)
    assert.match(out, /rules\[1\]\.severity/)
    assert.match(out, /rules\[2\]\.id is that of rules\[0\], too/)
  })

  test("[I1] scenario: the shipped rules, and one's own with --rules; what fails is named by its line", async () => {
    const text = (value: number): string =>
      ["device r1 role core", `load 0s..5m every 30s - device.cpu_pct ${value}`, "expect firing my-cpu - at 2m"].join(
        "\n",
      )
    const own = file("own.json", cpu(50))
    assert.equal((await rules("scenario", file("a.txt", text(60)), "--rules", own)).code, 0)
    const failed = await rules("scenario", file("b.txt", text(40)), "--rules", own)
    assert.deepEqual([failed.code, failed.out], [1, `${join(dir, "b.txt")}:3: my-cpu is ok, not firing\n`])
    const unknown = await rules("scenario", file("c.txt", "device r1\nfrobnicate"))
    assert.deepEqual([unknown.code, /c\.txt:2: /.test(unknown.out)], [1, true])
    const off = file("off.json", { ...shippedRules().get("utilization-95")!.rule, enabled: false })
    const shipped = file(
      "d.txt",
      "load 0s..10m every 30s if:e interface.utilization_pct 97\nexpect never utilization-95",
    )
    assert.equal((await rules("scenario", shipped)).code, 1)
    assert.equal((await rules("scenario", shipped, "--rules", off)).code, 0, "a file's rule replaces the shipped one")
  })

  test("wrong words and files end with 2 and say what is right", async () => {
    for (const [args, words] of [
      [["chek"], /did you mean check/],
      [["check"], /FILE is missing/],
      [["get"], /ID is missing/],
      [["check", join(dir, "none")], /cannot be read/],
      [["check", file("x.json", "{")], /is not JSON/],
      [["test", file("t.json", cpu(1)), "--from", "soon"], /--from and --to/],
      [["test", file("u.json", cpu(1)), "--from=-1h", "--to=-2h"], /--from before --to/],
    ] as const) {
      const { code, err } = await rules(...args)
      assert.equal(code, 2, args.join(" "))
      assert.match(err, words)
    }
  })
})

describe("[I5] heliograph verify-receipt", () => {
  const device = new OneDevice(cpu(90).condition)
  device.sample(1, "device.cpu_pct", 95)
  const receipt = device.receipts[0]!
  const verify = (content: unknown, ...more: readonly string[]) =>
    heliograph({}, "verify-receipt", file("receipt.json", content), ...more)

  test("[I5] a receipt is accepted, a changed one rejected with what is wrong", async () => {
    const good = await verify(receipt)
    assert.deepEqual([good.code, good.out.split("\n")[0]], [0, "accepted"])
    const { code, out } = await verify({ ...receipt, clockMs: receipt.clockMs + 1 })
    assert.equal(code, 1)
    assert.match(out, /^rejected\n {2}hash: something in it was changed/)
    const json = JSON.parse((await verify(receipt, "--json")).out) as { verdict: string; unchecked: readonly string[] }
    assert.equal(json.verdict, "accepted")
    assert.ok(json.unchecked.length > 0)
    assert.equal((await verify("nothing")).code, 2)
    assert.equal((await heliograph({}, "verify-receipt", join(dir, "none"))).code, 2)
  })
})

describe("[I1] heliograph rules against an engine", { skip: NO_POSTGRES }, () => {
  const server = useRulesServer()
  let asked: (...args: readonly string[]) => ReturnType<typeof rules>
  before(() => {
    const key = file("key", server.as({ tenant: server.a, userId: "shell" }))
    asked = (...args) => rules(...args, "--key-file", key, "--url", server.url)
  })

  test("[I1] put, list, get, export and import go the way of the API", async () => {
    const put = await asked("put", file("put.json", cpu(70)))
    assert.deepEqual([put.code, put.out], [0, "my-cpu is written\n"], put.err)
    const list = await asked("list")
    assert.equal(list.out.trim().split("\n").length, shippedRules().size + 1)
    assert.match(list.out, /^my-cpu +on +own +My CPU$/m)
    assert.deepEqual(JSON.parse((await asked("get", "my-cpu")).out), cpu(70))
    const exported = await asked("export")
    assert.deepEqual(JSON.parse(exported.out), { rules: [cpu(70)] })
    const copy = file("export.json", exported.out)
    const dry = await asked("import", file("empty.json", []), "--replace", "--dry-run")
    assert.deepEqual((JSON.parse(dry.out) as { removed: unknown }).removed, ["my-cpu"])
    const same = JSON.parse((await asked("import", copy)).out) as { unchanged: number }
    assert.equal(same.unchanged, 1)
    const gone = await asked("get", "no-such-rule")
    assert.deepEqual([gone.code, gone.out], [1, ""])
    assert.equal((await asked("put", file("bad-put.json", cpu(1, { severity: "loud" })))).code, 1)
  })
})

/** What a dry run says of a service whose only router falls silent, through the shell's words. */
const triedOn = async (name: string): Promise<string> => {
  const device = RING.devices[0]!.id
  const service = { id: "svc-1", name, kind: "other" as const, devices: [device], links: [], sites: [], providers: [] }
  const atMs = (second: number): number => START_MS + second * 1_000
  const silent = { kind: "unreachable", device, source: "snmp", reason: "timeout", detail: "no answer in 3 s" } as const
  const past = await live(
    [
      { kind: "topology", atMs: START_MS, rev: 1, inventory: { ...RING, services: [service] } },
      poll(device, atMs(10)),
      { ...silent, atMs: atMs(20) },
      { ...silent, atMs: atMs(30) },
      { ...silent, atMs: atMs(40) },
      { kind: "tick", atMs: atMs(43) },
    ],
    1_000,
  )
  const request = {
    rules: [shippedRules().get("service-down")!.rule],
    fromMs: START_MS,
    toMs: atMs(60),
    devices: null,
  }
  const lines: string[] = []
  report(await dryRun({ ...past, checkpoint: async () => null }, request, () => 0), { out: (line) => lines.push(line) })
  return lines.join("\n")
}

test("[I1] what a dry run tells of a service calls it by its name, as people are told, not by its id", async () => {
  const told = await triedOn("Fibre of Alfa")
  assert.match(told, /^service-down: fired 1, told 1$/m)
  assert.match(told, /^ .*  critical r-00000  The service Fibre of Alfa is down$/m)
  assert.ok(!told.includes("svc-1"), told)
})

describe("[I1] heliograph rules test", { skip: NO_POSTGRES }, () => {
  const it: TwoTenants = useTwoTenants()

  test("[I1] says what would have fired on the stored journal of one tenant, and changes nothing", async () => {
    const { twin } = it.engine.tenants().find((one) => one.twin.tenant.id === it.a.id)!
    const seq = twin.seq()
    const silent = { ...cpu(1), condition: { type: "absent", metric: "device.cpu_pct", seconds: 1 } }
    const env = { HELIOGRAPH_DATA_DIR: it.dataDir }
    const run = (...args: readonly string[]) =>
      heliograph(env, "rules", "test", file("silent.json", silent), "--only", ...args)
    const { code, out, err } = await run("--tenant", it.a.slug, "--to", new Date(Date.now() + 10_000).toISOString())
    assert.equal(code, 0, err)
    const summary = JSON.parse(out.trim().split("\n").at(-1)!) as { rules: number; fired: number; inputs: number }
    assert.deepEqual([summary.rules, summary.fired], [1, 1])
    assert.ok(summary.inputs >= 1)
    assert.match(out, /^my-cpu: fired 3, told 3$/m)
    assert.ok(!out.includes(it.b.canary))
    const nobody = await run("--tenant", "nobody")
    assert.deepEqual([nobody.code, /--tenant must be one of/.test(nobody.err)], [1, true])
    assert.ok(twin.seq() >= seq)
    const { rows } = await Effect.runPromise(
      it.db.tenant(it.a.id)((tx) => tx.query("select 1 from alert_rule where tenant_id = $1", [it.a.id])),
    )
    assert.equal(rows.length, 0)
  })
})
