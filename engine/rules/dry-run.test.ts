/**
 * [I1] A dry run is the past with other rules: what it says must be what a twin that lived the same inputs under these
 * rules said, from wherever it begins, and the thread around it keeps its limits.
 */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, test, type TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { live, RING, story, type Past } from "#engine/replay/past.fixture.ts"
import { dryRun, type DryRun } from "#engine/rules/dry-run.ts"
import { DRY_RUNS_MAX, makeDryRuns, STRETCH_MAX_MS } from "#engine/rules/dry-runs.ts"
import { tempDataDir } from "#engine/storage/database.fixture.ts"
import { START_MS } from "#engine/tenant/network.fixture.ts"
import { tenantId } from "#protocol/id.ts"
import type { Rule } from "#protocol/rule.ts"
import type { EventView } from "#protocol/view.ts"
import type { Input } from "#twin/input.ts"

const cpu = (threshold: number, more: Partial<Rule> = {}): Rule => ({
  id: "cpu",
  rule_schema_version: "1",
  name: "CPU busy",
  enabled: true,
  severity: "warn",
  scope: {},
  condition: {
    type: "threshold",
    metric: "device.cpu_pct",
    operator: ">",
    threshold_num: threshold,
    aggregation: "last",
    lookback_seconds: 60,
  },
  for_seconds: 0,
  recover_seconds: 0,
  cooldown_seconds: 0,
  annotations: { summary_template: "CPU of {{device}} is {{value}}", runbook_url: "https://example.net/cpu" },
  ...more,
})
const judgedBy = (rules: readonly Rule[]): Input => ({ kind: "rules", atMs: START_MS, rev: 1, rules })
const COUNT = 240
/** Its journal is kept from the first input on: where there is no checkpoint yet, one begins with nothing. */
const lived = async (rules: readonly Rule[], every = 30): Promise<Past> => {
  const [first, ...rest] = story(COUNT)
  const past = await live([first!, judgedBy(rules), ...rest], every)
  return { ...past, checkpoint: async (atMs) => past.snapshots.findLast((one) => one.atMs <= atMs) ?? null }
}
const END_MS = START_MS + (COUNT + 1) * 1_000
const whole = { fromMs: START_MS, toMs: END_MS, devices: null }
const run = (past: Past, rules: readonly Rule[], more: Partial<typeof whole> = {}): Promise<DryRun> =>
  dryRun(past, { ...whole, ...more, rules }, () => performance.now())

/** What the events of a life say of one rule: the oracle. */
const firings = (events: readonly EventView[]): readonly string[] => {
  const lit = new Set<string>()
  const found: string[] = []
  for (const { type, old, new: to, subject, entity, atMs } of events) {
    if (!type.startsWith("alert.") || old !== "cpu") continue
    const key = `${subject} ${entity}`
    if (to === "firing" && !lit.has(key)) {
      lit.add(key)
      found.push(`${subject} ${atMs}`)
    } else if (to === "ok") lit.delete(key)
  }
  return found
}
const alertsOf = ({ rules }: DryRun): readonly string[] =>
  (rules.find(({ id }) => id === "cpu")?.alerts ?? []).map(({ device, fromMs }) => `${device} ${fromMs}`)

describe("[I1] dry run", () => {
  test("[I1] the rules that were live would have fired exactly as they did, each alert with its end", async () => {
    const past = await lived([cpu(90)])
    const done = await run(past, [cpu(90)])
    assert.ok(firings(past.events).length > 4)
    assert.deepEqual(alertsOf(done).toSorted(), firings(past.events).toSorted())
    const told = past.events.filter(({ type }) => type === "alert.firing" || type === "alert.flapping").length
    assert.equal(done.rules[0]?.told, told)
    assert.equal(done.inputs, COUNT + 2)
    for (const { fromMs, toMs, deviceName, summary, severity } of done.rules[0]!.alerts) {
      assert.ok(toMs === null || toMs > fromMs)
      assert.match(deviceName, /^r/)
      assert.match(summary, /^CPU of /)
      assert.equal(severity, "warn")
    }
  })

  for (const threshold of [5, 50, 97, 1_000])
    test(`[I1] other rules (above ${threshold}) fire as in a life under them, whatever was live`, async () => {
      const wanted = firings((await lived([cpu(threshold)])).events)
      for (const other of [[cpu(90)], [], [cpu(90, { id: "else" })]]) {
        const done = await run(await lived(other), [cpu(threshold)])
        assert.deepEqual(alertsOf(done).toSorted(), wanted.toSorted())
      }
    })

  test("[I1] an alert that was live and would not be under these rules is not told of", async () => {
    // It would never recover either: nothing but having been raised by other rules ends it.
    const forEver = { recover: cpu(1_000_000).condition }
    const past = await lived([cpu(-1, forEver)])
    const middle = START_MS + 120_000
    const done = await run(past, [cpu(1_000, forEver)], { fromMs: middle })
    assert.deepEqual(done.rules, [{ id: "cpu", fired: 0, told: 0, alerts: [] }])
  })

  test("[I1] begun in the middle it says of the rest what the whole says, and names what fires already", async () => {
    const past = await lived([cpu(90)], 20)
    const all = (await run(past, [cpu(40)])).rules[0]!.alerts
    for (const fromMs of [START_MS + 61_000, START_MS + 100_000, START_MS + 187_000]) {
      const toMs = fromMs + 40_000
      const { rules } = await run(past, [cpu(40)], { fromMs, toMs })
      const wanted = all.filter((one) => one.fromMs <= toMs && (one.toMs === null || one.toMs >= fromMs))
      const shown = (list: typeof all) => list.map(({ device, fromMs: at }) => `${device} ${at}`).toSorted()
      assert.deepEqual(shown(rules[0]!.alerts), shown(wanted))
      for (const one of rules[0]!.alerts) assert.ok(one.toMs === null || one.toMs <= toMs)
    }
  })

  test("[I1] only of the devices that were asked for; rules that are off are no part of the answer", async () => {
    const past = await lived([])
    const device = RING.devices[0]!.id
    const done = await run(past, [cpu(10), cpu(10, { id: "off", enabled: false })], { devices: [device] as never })
    assert.deepEqual(
      done.rules.map(({ id }) => id),
      ["cpu"],
    )
    assert.ok(done.rules[0]!.fired > 0)
    assert.deepEqual(new Set(done.rules[0]!.alerts.map((one) => one.device)), new Set([device]))
  })

  test("[I1] time goes on after the last input: what is absent fires inside the stretch", async () => {
    const absent = cpu(0, { condition: { type: "absent", metric: "device.cpu_pct", seconds: 60 } })
    const done = await run(await lived([]), [absent], { toMs: END_MS + 300_000 })
    assert.equal(done.rules[0]!.fired, RING.devices.length)
    for (const { fromMs } of done.rules[0]!.alerts) assert.ok(fromMs > END_MS && fromMs < END_MS + 70_000)
  })

  test("[I1] of what is not kept it says so; so it does of a hole in the journal", async () => {
    const past = await lived([])
    const forgotten = { ...past, checkpoint: async () => past.snapshots.at(-1)! }
    await assert.rejects(run(forgotten, [cpu(1)]), /nothing is kept of before/)
    const holed = {
      ...past,
      readFrom: async function* (seq: number) {
        for await (const batch of past.readFrom(seq)) yield batch.filter((one) => one.seq !== 100)
      },
    }
    await assert.rejects(run(holed, [cpu(1)]), /goes on at input 101 where 100 is needed/)
  })
})

describe("[I1] the thread of a dry run", () => {
  const tenant = (nth: number) => {
    const id = tenantId(`00000000-0000-4000-8000-00000000000${nth}`)
    return { id, slug: `t${nth}`, name: `t${nth}`, demo: false }
  }
  const planted = (t: TestContext, code: string): URL => {
    const file = join(tempDataDir(t), "worker.mjs")
    writeFileSync(file, code)
    return pathToFileURL(file)
  }
  const request = { rules: [], fromMs: 1, toMs: 2, devices: null }
  const refusal = async (effect: Effect.Effect<unknown, { readonly detail?: string }>): Promise<string> =>
    (await Effect.runPromise(Effect.flip(effect))).detail ?? ""

  test("[I1] one of a tenant at a time, a few of the engine; each ends and makes room", async (t) => {
    const worker = planted(t, "setInterval(() => {}, 1000)")
    const runs = makeDryRuns({ appUrl: () => "postgres://nowhere", worker, deadlineMs: 1_500 })
    const going = Array.from({ length: DRY_RUNS_MAX }, (_, nth) => refusal(runs.run(tenant(nth), request)))
    assert.match(await refusal(runs.run(tenant(0), request)), /under way: wait/)
    assert.match(await refusal(runs.run(tenant(9), request)), /4 dry runs/)
    for (const why of await Promise.all(going)) assert.match(why, /not done after 1.5 s/)
    assert.match(await refusal(runs.run(tenant(0), request)), /not done after/, "there is room again")
  })

  test("[I1] a thread that throws, exits or eats memory is told in words; whoever goes away ends it", async (t) => {
    const said = (code: string): Promise<string> =>
      refusal(makeDryRuns({ appUrl: () => "postgres://nowhere", worker: planted(t, code) }).run(tenant(1), request))
    assert.match(await said("throw new Error('a defect')"), /ended by a defect: .*a defect/)
    assert.match(await said("process.exit(0)"), /ended by itself/)
    const answer = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage"
    assert.match(await said(`${answer}({ ok: false, problem: 'no such past' })`), /no such past/)
    const runs = makeDryRuns({ appUrl: () => "postgres://nowhere", worker: planted(t, "setInterval(() => {}, 1000)") })
    const left = await Effect.runPromiseExit(Effect.timeout(runs.run(tenant(1), request), 200))
    assert.ok(Exit.isFailure(left))
    assert.match(await refusal(runs.run(tenant(1), { ...request, toMs: 0 })), /after/)
    assert.match(await refusal(runs.run(tenant(1), { ...request, toMs: STRETCH_MAX_MS + 2 })), /week/)
    assert.match(await refusal(makeDryRuns({ appUrl: () => null }).run(tenant(1), request)), /away/)
  })
})
