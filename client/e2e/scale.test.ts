/**
 * Map and graph with 10,000 routers. What is asserted does not depend on the machine: the level of detail bounds what is
 * drawn, panning and zooming end on a drawn picture. Frame times are told, not asserted: here WebGL is drawn by processors
 * (SwiftShader), beside whatever else runs, so that they are an upper bound and no figure for a workplace with a GPU.
 */
import assert from "node:assert/strict"
import { loadavg } from "node:os"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { mapReady } from "#client/e2e/scenario.ts"
import { skip, visit } from "#client/e2e/visit.ts"

const ROUTERS = 10_000
const MOVES = 30

interface Frames {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** Frames that the page comes to while `run` moves the picture. */
const framesOf = async (page: Page, run: () => Promise<void>): Promise<Frames> => {
  await page.evaluate(() => {
    const taken: number[] = []
    let last = performance.now()
    const next = (nowMs: number): void => {
      taken.push(nowMs - last)
      last = nowMs
      if (window.__frames === taken) requestAnimationFrame(next)
    }
    window.__frames = taken
    requestAnimationFrame(next)
  })
  await run()
  const sorted = (
    await page.evaluate(() => {
      const taken = window.__frames ?? []
      delete window.__frames
      return taken.slice(1)
    })
  ).toSorted((a, b) => a - b)
  const at = (part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0)
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95) }
}
declare global {
  interface Window {
    __frames?: number[]
  }
}

const pan = (page: Page) => async (): Promise<void> => {
  await page.mouse.move(640, 430)
  await page.mouse.down()
  for (let step = 1; step <= MOVES; step++) await page.mouse.move(640 - step * 5, 430 - step * 3)
  await page.mouse.up()
}
const zoom = (page: Page) => async (): Promise<void> => {
  for (let step = 0; step < 6; step++) await page.mouse.wheel(0, step < 3 ? -240 : 240)
}
const told = ({ count, p50Ms, p95Ms }: Frames): string =>
  `${count} frames, p50 ${p50Ms} ms, p95 ${p95Ms} ms (${p50Ms === 0 ? "-" : Math.round(1_000 / p50Ms)} a second)`

test(
  "[U3] [U4] map and graph of 10,000 routers move, and draw no more than a picture can show",
  { skip },
  async (t) => {
    await visit("map", { nodes: ROUTERS }, async ({ page, shoot }) => {
      page.setDefaultTimeout(120_000)
      await mapReady(page)
      const { nodes, links, drawn } = await page.evaluate(() => ({
        nodes: window.__twin?.state()?.nodes.id.length ?? 0,
        links: window.__twin?.state()?.links.id.length ?? 0,
        drawn: window.__twin?.drawn().length ?? 0,
      }))
      assert.equal(nodes, ROUTERS)
      assert.ok(drawn > 0 && drawn < ROUTERS / 2, `${drawn} of ${nodes} are drawn from afar`)
      t.diagnostic(`${nodes} routers, ${links} links, ${drawn} drawn; software GL, load ${loadavg()[0]?.toFixed(1)}`)
      t.diagnostic(`map, pan: ${told(await framesOf(page, pan(page)))}`)
      t.diagnostic(`map, zoom: ${told(await framesOf(page, zoom(page)))}`)
      await mapReady(page)
      await shoot("map-10000")

      await page.evaluate(() => (location.hash = "#/graph"))
      await page.waitForFunction(() => (window.__twin?.graph().length ?? 0) > 0)
      const items = await page.evaluate(() => window.__twin?.graph().length ?? 0)
      assert.ok(items < ROUTERS, `${items} things in the graph from afar`)
      t.diagnostic(`graph, pan: ${told(await framesOf(page, pan(page)))}`)
      t.diagnostic(`graph, zoom: ${told(await framesOf(page, zoom(page)))}`)
      await page.waitForFunction(() => (window.__twin?.graph().length ?? 0) > 0)
      await shoot("graph-10000")
    })
  },
)
