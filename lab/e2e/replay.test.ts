/**
 * [W10] Back in time, as a person does it: a link is cut and mended in the emulated network, the page goes back to the
 * moment in between and shows it broken, says all the while that this is the past, plays on until it is whole, and returns
 * to the live network. Real engine, real database, real browser.
 */
import assert from "node:assert/strict"
import { mkdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { after, before, test } from "node:test"
import type { Browser, Page } from "playwright-core"
import { ENABLE, hasChromium, launch } from "#client/e2e/browser.ts"
import { takePicture } from "#client/e2e/picture.ts"
import { checkAxe, mapReady, redAlong, settled, signIn, watchPage } from "#client/e2e/scenario.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { PASSWORD } from "#lab/drive/engine.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

const skip = hasChromium() ? NO_POSTGRES : `no Chromium; ${ENABLE}`
const PICTURES = resolve(import.meta.dirname, "../../out/e2e/replay")
let browser: Browser

before(async () => {
  if (skip === false) browser = await launch()
})
after(async () => browser?.close())

const BANNER = "[data-testid=replay-banner]"
const BAR = "[data-testid=time-bar]"

test("[W10] [X1] a cut that was mended is seen again, and never taken for now", { skip }, async (t) => {
  await mkdir(PICTURES, { recursive: true })
  await withScene({ routers: 24, seed: 1, pollSeconds: 2, push: true }, async (scene) => {
    const { slot, cutMs, sound } = await cutAndMend(scene)
    const viewport = { width: 1440, height: 900 }
    const context = await browser.newContext({ viewport, locale: "en-GB", reducedMotion: "reduce" })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const watch = await watchPage(page, scene.engine.url)
    const shoot = (name: string) => takePicture(page, join(PICTURES, `${name}.png`))
    const statusOf = (at: number) => page.evaluate((one) => window.__twin?.state()?.links.status[one], at)
    const whenStatus = (accept: "sound" | "broken") =>
      page.waitForFunction(
        ([at, old, want]) => {
          const now = window.__twin?.state()?.links.status[at as number]
          return now !== undefined && (want === "sound" ? now === old : [3, 4].includes(now & 7))
        },
        [slot, sound, accept] as const,
      )
    const press = async (key: string): Promise<void> => {
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
      await page.keyboard.press(key)
    }

    await t.test("the choice of a moment, by keyboard; it offers the events", async () => {
      await page.goto(scene.engine.url)
      await signIn(page, "admin", PASSWORD)
      await mapReady(page)
      await whenStatus("sound")
      await press("4")
      await page.waitForSelector(".replay-events [data-row]")
      await shoot("choice")
      await checkAxe(page, "choice of a moment")
      assert.equal(await page.locator(BANNER).count(), 0)
    })

    await t.test("the moment of the cut: the link is broken on the map and in the list, under a banner", async () => {
      await page.goto(`${scene.engine.url}/#/replay?at=${new Date(cutMs).toISOString()}`)
      await page.waitForSelector(BANNER)
      await mapReady(page)
      await whenStatus("broken")
      await settled(page)
      const { red } = await redAlong(page, await shoot("cut"), slot)
      assert.ok(red >= 3, `${red} red pixels along the link`)
      await page.waitForSelector("[data-testid=trouble] [data-row]")
      assert.match(await page.locator(BANNER).innerText(), /REPLAY/)
      assert.match(await page.locator(".side").innerText(), /What was wrong/)
      assert.equal(await page.locator("[data-testid=live-pill]").innerText(), "REPLAY")
      await checkAxe(page, "replay, dark")
      assert.equal(scene.viewer.state.links.status[slot], sound, "the live network is whole all the while")
    })

    await t.test("the detail of then: no button that edits, charts that end there", async () => {
      const asked: string[] = []
      page.on("request", (request) => asked.push(request.url()))
      await page.locator("[data-testid=trouble] [data-row]").first().click()
      await page.waitForSelector("[data-testid=panel] .facts")
      await page.waitForTimeout(500) // the charts' questions follow the panel
      assert.equal(await page.locator(".panel-acts").count(), 0)
      const history = asked.filter((url) => url.includes("/api/v1/history")).map((url) => new URL(url))
      assert.ok(history.length > 0)
      for (const { searchParams } of history) assert.ok(Number(searchParams.get("to")) <= cutMs + 1)
      assert.ok(
        asked.every((url) => !/\/api\/v1\/(devices|links)\//.test(url)),
        "nothing of now is asked",
      )
      await shoot("cut-link")
      await press("Escape")
    })

    await t.test("by keyboard: back before the cut, on to the event, and played until it was mended", async () => {
      for (let times = 0; times < 6 && (await statusOf(slot)) !== sound; times++) {
        const before = await momentOf(page)
        await press("ArrowLeft")
        await page.waitForFunction((old) => document.querySelector(".time-now")?.textContent !== old, before)
        await page.waitForTimeout(300)
      }
      assert.equal(await statusOf(slot), sound, "before the cut it was whole")
      for (let times = 0; times < 30 && (await statusOf(slot)) === sound; times++) {
        await press("n")
        await page.waitForTimeout(400)
      }
      assert.notEqual(await statusOf(slot), sound, "the next events lead to the cut")
      await page.locator(`${BAR} .segments button`, { hasText: "10×" }).first().click()
      await press(" ")
      await whenStatus("sound")
      await shoot("mended")
      await press("t")
      await settled(page)
      await shoot("mended-light")
      await checkAxe(page, "replay, light")
    })

    await t.test(
      "[5.5] branched: a fault that never was is broken and named in the branch, and gone when it is left",
      async () => {
        const button = page.locator("[data-testid=branch-button]")
        await button.click()
        await page.waitForSelector("[data-testid=branch-strip]")
        assert.match(await page.locator(BANNER).innerText(), /BRANCH/)
        const link = await page.evaluate((at) => window.__twin?.state()?.links.id[at], slot)
        await page.evaluate((id) => (location.hash = `${location.hash}&link=${id}`), link)
        await page.locator(".branch-fault").click()
        await whenStatus("broken")
        await page.waitForSelector(".branch-faults li")
        await page.waitForSelector(".branch-incidents li")
        await settled(page)
        await shoot("branch")
        await checkAxe(page, "branch")
        assert.equal(scene.viewer.state.links.status[slot], sound, "the live network is whole all the while")
        await page.locator(".branch-faults button").click()
        await whenStatus("sound")
        await page.locator(".branch-fault").click()
        await whenStatus("broken")
        await button.click()
        await page.waitForSelector("[data-testid=branch-strip]", { state: "detached" })
        await whenStatus("sound")
        assert.match(await page.locator(BANNER).innerText(), /REPLAY/)
        await press("Escape")
      },
    )

    await t.test("in Portuguese it says the same", async () => {
      await page.getByRole("button", { name: /português/ }).click()
      assert.match(await page.locator(BANNER).innerText(), /Isto é o passado/)
      await shoot("portugues")
    })

    await t.test("back to live: the banner is gone, the picture is of now, the engine has no replay left", async () => {
      await page.locator(`${BANNER} .button`).last().click()
      await page.waitForSelector(BANNER, { state: "detached" })
      await mapReady(page)
      await whenStatus("sound")
      assert.doesNotMatch(await page.locator("[data-testid=live-pill]").innerText(), /REPLAY/)
      assert.match(page.url(), /#\/map/)
      const { items } = (await scene.engine.json("/api/v1/replays", scene.cookie)) as { items: readonly unknown[] }
      assert.deepEqual(items, [])
      await shoot("live")
      assert.deepEqual(watch.foreign, [])
      assert.deepEqual(watch.errors, [])
      assert.deepEqual(await page.evaluate(() => window.__violations), [])
    })
    await context.close()
  })
})

const momentOf = (page: Page) => page.locator(".time-now").innerText()

/** Cuts a link of the core as a fault of the network, and mends it; both are seen by the live twin. */
const cutAndMend = async (scene: Scene): Promise<{ slot: number; cutMs: number; sound: number }> => {
  const { viewer, lab } = scene
  const { routers, links } = await lab.truth()
  const core = new Set(routers.filter(({ roles }) => roles.includes("core")).map(({ name }) => name))
  const link = links.find(({ a, b }) => core.has(a) && core.has(b))
  assert.ok(link !== undefined)
  const slot = viewer.linkSlot(link.a, link.b)
  assert.ok(slot !== undefined)
  const sound = viewer.state.links.status[slot] ?? 0
  // Some quiet time, to go back to.
  await new Promise((wake) => setTimeout(wake, 12_000))
  await lab.fault("cut", link.a, link.b)
  await viewer.until(() => [3, 4].includes((viewer.state.links.status[slot] ?? 0) & 7), 90_000)
  await new Promise((wake) => setTimeout(wake, 3_000))
  const cutMs = Date.now()
  await new Promise((wake) => setTimeout(wake, 6_000))
  await lab.fault("mend", link.a, link.b)
  await viewer.until(() => (viewer.state.links.status[slot] ?? 0) === sound, 60_000)
  return { slot, cutMs, sound }
}
