/**
 * A question as a person asks it, and then reality: the page simulates the death of a router of the emulated ISP, the engine
 * answers over its own door, the router really dies, and whoever was said to lose the way is who falls silent.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { checkAxe } from "#client/e2e/scenario.ts"
import type { Scene } from "#lab/drive/scene.ts"
import { PATIENCE_MS, skip, usePages } from "#lab/e2e/page.fixture.ts"
import { unpackStatus } from "#protocol/status.ts"

const visit = usePages("whatif-real")

test("[W6] [W8] [U5] what if this router fails: said, drawn, and then it happens", { skip }, async (t) => {
  await visit("whatif", async ({ scene, page, watch, shoot }) => {
    const victim = await aggregation(scene)
    const said: string[] = []
    await page.waitForFunction(() => (window.__twin?.state()?.nodes.id.length ?? 0) > 0)
    await t.test("the simulation of the router names who loses the way", async () => {
      await page.fill("[name=fault]", victim)
      await page.locator("#sim-hit-0").getByText(victim).waitFor()
      await page.keyboard.press("Enter")
      await page.waitForSelector("[data-testid=impact][aria-busy=false] [data-testid=customers]")
      said.push(...(await cutOff(page)))
      await page.waitForTimeout(1_200)
      await checkAxe(page, "real simulation")
      await shoot("simulation")
      t.diagnostic(
        `${victim}: ${said.length} lose the way; ${(await page.locator("[data-testid=customers]").innerText()).replaceAll(/\s+/g, " ")}`,
      )
    })
    await t.test("ranking, single points, blind spots and drift answer", async () => {
      await page.goto(`${scene.engine.url}/#/whatif/next`)
      await page.waitForSelector(".next-row")
      await page.locator(".next-row").first().hover()
      await page
        .locator(".beside-note")
        .getByText(/Customers without service/)
        .waitFor()
      await page.waitForTimeout(1_200)
      await shoot("next")
      for (const [tab, mark] of [
        ["single", ".single-lists, .calm"],
        ["blind", ".blind-tiles"],
        ["drift", ".drift-rows, .calm, .next-sum"],
      ] as const) {
        await page.goto(`${scene.engine.url}/#/whatif/${tab}`)
        await page.waitForSelector(mark)
        assert.equal(await page.locator(".problem").count(), 0, tab)
        await page.waitForTimeout(500)
        await shoot(tab)
      }
    })
    await t.test("the inbox answers: proposals, or why there are none", async () => {
      await page.goto(`${scene.engine.url}/#/topology`)
      await page.waitForSelector(".proposal-row, .proposal-explain")
      assert.equal(await page.locator(".problem").count(), 0)
      if ((await page.locator(".proposal-row").count()) > 0) await page.locator(".proposal-row").first().click()
      await page.waitForTimeout(2_000)
      await shoot("inbox")
    })
    await t.test("the router dies: those that were named fall silent", async () => {
      await page.goto(`${scene.engine.url}/#/map`)
      await page.waitForFunction(() => (window.__twin?.state()?.nodes.id.length ?? 0) > 0)
      await scene.lab.fault("kill", victim)
      const silent = async () => {
        const status = await page.evaluate(() => {
          const state = window.__twin?.state()
          return state == null
            ? []
            : state.nodes.name.map((name, slot) => [name, state.nodes.status[slot] as number] as const)
        })
        return status
          .filter(([, byte]) => ["down", "unreachable"].includes(unpackStatus(byte).health))
          .map(([name]) => name)
          .sort()
      }
      const wanted = [...new Set([...said, victim])].sort()
      const until = Date.now() + PATIENCE_MS
      let now = await silent()
      while (Date.now() < until && JSON.stringify(now) !== JSON.stringify(wanted)) {
        await page.waitForTimeout(500)
        now = await silent()
      }
      assert.deepEqual(now, wanted, "as it was said")
      t.diagnostic(`silent: ${now.join(", ")}`)
    })
    assert.deepEqual(watch.foreign, [])
    assert.deepEqual(watch.errors, [])
  })
})

/** What the card lists; all of it, when it shows only some. */
const cutOff = async (page: Page): Promise<readonly string[]> => {
  const list = page.locator(".sim-impact section", { hasText: "Routers that lose their way" })
  if ((await list.count()) === 0) return []
  const more = list.getByRole("button", { name: /Show all/ })
  if ((await more.count()) > 0) await more.click()
  return list.locator(".chip").allInnerTexts()
}

/** A router that others hang on, and not the core. */
const aggregation = async (scene: Scene): Promise<string> => {
  const { routers, links } = await scene.lab.truth()
  const degree = (name: string) => links.filter(({ a, b }) => a === name || b === name).length
  const aggs = routers.filter(({ roles }) => roles.includes("agg")).sort((x, y) => degree(y.name) - degree(x.name))
  const found = aggs[0]
  assert.ok(found !== undefined, "the emulated ISP has an aggregation router")
  return found.name
}
