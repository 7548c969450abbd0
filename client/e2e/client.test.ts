/**
 * The client in a real browser. Against the fixture by default; against a running engine with E2E_URL, E2E_USER,
 * E2E_PASSWORD and the commands E2E_CUT and E2E_MEND (run by sh). Pictures: out/e2e/.
 */
import assert from "node:assert/strict"
import { exec } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { promisify } from "node:util"
import { fileURLToPath } from "node:url"
import pixelmatch from "pixelmatch"
import type { Browser, Page } from "playwright-core"
import { PNG } from "pngjs"
import { buildAll } from "#client/build/build.ts"
import { CHROMIUM, ENABLE, hasChromium, launch } from "#client/e2e/browser.ts"
import { startFixture } from "#client/e2e/fixture-server.ts"
import { runScenario } from "#client/e2e/scenario.ts"

const PICTURES = fileURLToPath(new URL("../../out/e2e/", import.meta.url))
const skip = hasChromium() ? false : `no Chromium at ${CHROMIUM}; ${ENABLE}`
let browser: Browser
let dist: string

before(async () => {
  if (skip !== false) return
  dist = await mkdtemp(join(tmpdir(), "heliograph-dist-"))
  await buildAll({ dist })
  browser = await launch()
})
after(async () => {
  if (skip !== false) return
  await browser.close()
  await rm(dist, { recursive: true, force: true })
})

test("[U1][U2][U3][X1] the live map, from sign-in to resume", { skip }, async (t) => {
  const { E2E_URL, E2E_USER = "admin", E2E_PASSWORD = "", E2E_CUT = "true", E2E_MEND = "true" } = process.env
  const run = promisify(exec)
  if (E2E_URL !== undefined) {
    const cut = async () => void (await run(E2E_CUT))
    const mend = async () => void (await run(E2E_MEND))
    return runScenario(t, {
      browser,
      baseUrl: E2E_URL,
      user: E2E_USER,
      password: E2E_PASSWORD,
      cut,
      mend,
      pictures: PICTURES,
    })
  }
  const fixture = await startFixture({ nodes: 60, dist })
  try {
    const cut = async () => void fixture.cut(2)
    const mend = async () => fixture.mend(2)
    const who = { user: "admin", password: "fixture" }
    await runScenario(t, { browser, baseUrl: fixture.url, ...who, cut, mend, pictures: PICTURES })
    assert.equal(fixture.stats.keyframes, 1, "the server sent one keyframe in all")
  } finally {
    await fixture.close()
  }
})

test("[X1] a demo tenant says so, in both languages", { skip }, async () => {
  const fixture = await startFixture({ nodes: 12, dist, tickMs: 0 })
  const context = await browser.newContext({ locale: "en-GB" })
  try {
    const page = await context.newPage()
    await page.goto(fixture.url)
    await page.fill("[name=password]", "fixture")
    await page.click("[type=submit]")
    assert.equal(await page.locator("[data-testid=demo]").innerText(), "DEMO")
    await page.getByRole("button", { name: /português/ }).click()
    assert.equal(await page.locator("[data-testid=demo]").innerText(), "DEMONSTRAÇÃO")
  } finally {
    await context.close()
    await fixture.close()
  }
})

test("[X1] without a server the picture greys and says how old it is; it comes back by itself", { skip }, async () => {
  const fixture = await startFixture({ nodes: 30, dist, tickMs: 300 })
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce" })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(45_000)
    await page.goto(fixture.url)
    await page.fill("[name=password]", "fixture")
    await page.click("[type=submit]")
    await page.waitForFunction(() => window.__twin?.ready())
    fixture.refuse(true)
    fixture.dropSockets()
    await page.waitForSelector(".banner")
    assert.match(await page.locator(".banner").innerText(), /Connection lost.*last state received/)
    assert.equal(await page.locator(".map-screen.stale").count(), 1)
    assert.equal(await page.getByText("All is well").count(), 0, "nobody knows whether all is well now")
    await page.screenshot({ path: join(PICTURES, "stale.png") })
    fixture.refuse(false)
    await page.waitForSelector(".banner", { state: "detached" })
    assert.equal(fixture.stats.keyframes, 1)
  } finally {
    await context.close()
    await fixture.close()
  }
})

test("[U3] an address holds screen, selection and camera: opened elsewhere it shows the same", { skip }, async () => {
  const fixture = await startFixture({ nodes: 30, dist, tickMs: 0 })
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce" })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(45_000)
    const [id = "", name = ""] = [fixture.network.nodes.id[3], fixture.network.nodes.name[3]]
    await page.goto(`${fixture.url}/#/map?device=${id}&at=-46.63,-23.55,8`)
    await page.fill("[name=password]", "fixture")
    await page.click("[type=submit]")
    await page.waitForFunction((text) => document.querySelector("[data-testid=panel] h2")?.textContent === text, name)
    await page.waitForFunction(() => window.__twin?.ready())
    const place = await page.evaluate(() => window.__twin?.screen(0))
    const box = await page.locator("[data-testid=map]").boundingBox()
    assert.ok(place != null && box !== null)
    assert.ok(Math.abs(place.x - box.x - box.width / 2) < 3, "the camera stands over São Paulo's core")
    await page.evaluate(() => (location.hash = "#/devices"))
    await page.waitForSelector("[role=grid]")
  } finally {
    await context.close()
    await fixture.close()
  }
})

test("a frozen screen at one camera is the same picture twice", { skip }, async () => {
  const fixture = await startFixture({ nodes: 60, dist, tickMs: 0 })
  try {
    const shots: PNG[] = []
    for (const _ of [1, 2]) {
      const context = await browser.newContext({
        viewport: { width: 1200, height: 800 },
        locale: "pt-BR",
        reducedMotion: "reduce",
      })
      const page = await context.newPage()
      page.setDefaultTimeout(45_000)
      // The camera is named: the first fit depends on how wide the panels are when the keyframe comes.
      await page.goto(`${fixture.url}/?frozen#/map?at=-47,-14,4`)
      await page.fill("[name=password]", "fixture")
      await page.click("[type=submit]")
      await page.waitForFunction(() => window.__twin?.ready() && window.__twin.phase() === "live")
      shots.push(await settledPicture(page))
      await context.close()
    }
    const [a, b] = shots as [PNG, PNG]
    const different = pixelmatch(a.data, b.data, undefined, a.width, a.height, { threshold: 0.1 })
    assert.ok(different <= 50, `${different} pixels differ`)
    assert.ok(new Set(a.data.subarray(0, 400_000)).size > 30, "and it is not blank")
  } finally {
    await fixture.close()
  }
})

/** Labels arrive tile by tile and MapLibre has no event for the last one: the picture that comes twice in a row. */
const settledPicture = async (page: Page): Promise<PNG> => {
  // The delay in the pill is a measurement of this very run.
  const mask = [page.locator("[data-testid=live-pill]")]
  let last = await page.screenshot({ mask })
  for (let tries = 0; tries < 40; tries++) {
    await page.waitForTimeout(500)
    const next = await page.screenshot({ mask })
    if (next.equals(last)) return PNG.sync.read(next)
    last = next
  }
  assert.fail("the frozen screen did not come to rest within 20 s")
}
