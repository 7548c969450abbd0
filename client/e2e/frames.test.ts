/**
 * What a frame costs while deltas stream: the triage list with 5,000 incidents and the room of one with 250 symptoms. A
 * trace of Chromium's main thread is read, by its own processor time. The figures are told; what is asserted depends on no
 * machine: the page holds what is in sight, however much there is.
 */
import assert from "node:assert/strict"
import { loadavg } from "node:os"
import { test } from "node:test"
import type { CDPSession, Page } from "playwright-core"
import { manyIncidents, siteIncident } from "#client/e2e/fixture-incidents.ts"
import type { Fixture } from "#client/e2e/fixture-server.ts"
import { skip, visit } from "#client/e2e/visit.ts"
import type { IncidentView } from "#protocol/incident.ts"

const INCIDENTS = 5_000
const SYMPTOMS = 250
/** A frame at 60 a second. */
const FRAME_MS = 16

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds of the thread's own time. */
  readonly tdur?: number
  readonly args: { readonly name?: string }
}

/** Processor milliseconds of each task of the page's main thread while `run` goes on. */
const tasksOf = async (page: Page, run: () => Promise<void>): Promise<readonly number[]> => {
  const cdp: CDPSession = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  cdp.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await cdp.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"] },
  })
  await run()
  const ended = new Promise((done) => cdp.once("Tracing.tracingComplete", done))
  await cdp.send("Tracing.end")
  await ended
  await cdp.detach()
  const main = new Set(
    events
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  return events
    .filter(({ name, ph, pid, tid }) => name === "RunTask" && ph === "X" && main.has(`${pid} ${tid}`))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .toSorted((a, b) => a - b)
}

const told = (tasks: readonly number[]): string => {
  const at = (part: number): string => (tasks[Math.floor((tasks.length - 1) * part)] ?? 0).toFixed(1)
  const over = tasks.filter((ms) => ms > FRAME_MS).length
  return `${tasks.length} tasks, p99 ${at(0.99)} ms, longest ${at(1)} ms, ${over} over ${FRAME_MS} ms; load ${loadavg()[0]?.toFixed(1)}`
}

const deltas = (page: Page) => page.evaluate(() => window.__twin?.stats.deltas ?? 0)
/** Until so many more deltas have come. */
const streams = async (page: Page, count: number): Promise<void> => {
  const before = await deltas(page)
  await page.waitForFunction((least) => (window.__twin?.stats.deltas ?? 0) >= least, before + count)
}

test(`[I11] ${INCIDENTS} incidents while deltas stream: the list holds what is in sight`, { skip }, async (t) => {
  const prepare = (fixture: Fixture) => fixture.incidents.set(manyIncidents(fixture.network, Date.now(), INCIDENTS))
  await visit("incidents", { prepare, nodes: 200, tickMs: 200 }, async ({ page }) => {
    await page.waitForFunction(() => document.querySelectorAll(".incident-row").length > 5)
    await page.locator(".incidents-grid").focus()
    const still = await tasksOf(page, () => streams(page, 15))
    t.diagnostic(`list of ${INCIDENTS}, deltas alone: ${told(still)}`)
    const walked = await tasksOf(page, async () => {
      for (let press = 0; press < 60; press++) await page.keyboard.press("j")
      await page.keyboard.press("End")
      for (let press = 0; press < 20; press++) await page.keyboard.press("PageUp")
    })
    t.diagnostic(`list of ${INCIDENTS}, keyboard: ${told(walked)}`)
    assert.ok(still.length > 0 && walked.length > 0, "the trace has the page's main thread")
    assert.ok((await page.locator(".incident-row").count()) < 40)
  })
})

const crowded = (fixture: Fixture): void => {
  const view = siteIncident(fixture.network, 0, Date.now())
  const [first] = view.symptoms
  assert.ok(first !== undefined)
  const symptoms = Array.from({ length: SYMPTOMS }, (_, nth): IncidentView["symptoms"][number] => ({
    ...first,
    alert: `${first.alert}-${nth}`,
    entity: `if:ether${nth}`,
    summary: `ether${nth} of ${first.deviceName} is down`,
    why: "explained by The router R7",
  }))
  fixture.incidents.set([{ ...view, symptoms }])
}

test(`[U5] a room with ${SYMPTOMS} symptoms while deltas stream`, { skip }, async (t) => {
  await visit("incidents?open=4800-0", { prepare: crowded, nodes: 200, tickMs: 200 }, async ({ page }) => {
    await page.waitForSelector("[data-testid=symptoms] .symptom")
    await page.waitForFunction(() => window.__twin?.ready() === true)
    assert.ok((await page.locator(".symptom").count()) <= 40, "the rest on demand")
    const few = await tasksOf(page, () => streams(page, 15))
    t.diagnostic(`room, 40 of ${SYMPTOMS} shown: ${told(few)}`)
    await page.locator("[data-testid=symptoms] button.text-button").click()
    await page.waitForFunction((all) => document.querySelectorAll(".symptom").length === all, SYMPTOMS)
    const all = await tasksOf(page, () => streams(page, 15))
    t.diagnostic(`room, all ${SYMPTOMS} shown: ${told(all)}`)
    assert.ok(few.length > 0 && all.length > 0)
  })
})
