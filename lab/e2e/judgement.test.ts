/**
 * Judgement as a person meets it: a link of the emulated ISP is cut, the real engine's rules fire, the page says what and
 * why, somebody takes it, a window holds it back, a rule is written and tried on what was stored.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { checkAxe } from "#client/e2e/scenario.ts"
import type { Scene } from "#lab/drive/scene.ts"
import { skip, usePages } from "#lab/e2e/page.fixture.ts"

const visit = usePages("judgement-real")

test(
  "[I1] [I2] [I3] [I6] [X1] a cut link, its alerts, why, who takes them, what holds them back",
  { skip },
  async (t) => {
    await visit("alerts", async ({ scene, page, watch, shoot }) => {
      const link = await coreLink(scene)
      await page.waitForSelector("#alerts-title")
      await t.test(
        "the cut is in the list within its rules' own time, by the stream; the badge counts it",
        async () => {
          await scene.lab.fault("cut", link.a, link.b)
          await page.waitForFunction(
            (names) =>
              [...document.querySelectorAll(".alert-row")].some(
                (row) => /firing/.test(row.textContent ?? "") && names.some((name) => row.textContent?.includes(name)),
              ),
            [link.a, link.b],
          )
          await page.waitForSelector("[data-testid=alert-badge]")
          await shoot("alerts")
        },
      )
      await t.test(
        "why: the sentence, the observed value beside what was asked, the rule's version; a receipt to keep",
        async () => {
          const id = await firingOf(page, link.a, link.b)
          await page.locator(`[data-id="${id}"]`).click()
          await page.waitForSelector(".because-text")
          assert.match(await page.locator(".because-text").innerText(), /^It (still )?fires/)
          assert.ok((await page.locator(".seen").count()) >= 1)
          assert.match(await page.locator(".why-panel .facts").innerText(), /[0-9a-f]{16}/)
          assert.match(await page.locator(".runbook").innerText(), /docs\/runbooks\/[a-z0-9-]+\.md/)
          await checkAxe(page, "real alert, why")
          await shoot("why")
          const [download] = await Promise.all([
            page.waitForEvent("download"),
            page.getByRole("button", { name: "Decision receipt" }).click(),
          ])
          assert.match(download.suggestedFilename(), /^receipt-.*\.json$/)
        },
      )
      await t.test("a takes it: everybody sees who has it", async () => {
        const id = await firingOf(page, link.a, link.b)
        await page.locator(`[data-id="${id}"]`).click()
        await page.locator(".alerts-grid").focus()
        await page.keyboard.press("a")
        await page.locator(`[data-id="${id}"]`).getByText("taken by admin").waitFor()
        const stored = (await scene.engine.json(`/api/v1/alerts/${id}`, scene.cookie)) as {
          ack: { by: string } | null
        }
        assert.equal(stored.ack?.by, "admin")
      })
      await t.test(
        "a window over everything holds back what fires anew, with its reason; ended, it holds nothing",
        async () => {
          await page.evaluate(() => (location.hash = "#/maintenance"))
          await page.getByRole("button", { name: "Plan", exact: true }).click()
          await page.getByLabel("Title").fill("Fibre works")
          const now = new Date(Date.now() - 120_000)
          const field = (at: Date) =>
            new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
          await page.getByLabel("Begins").fill(field(now))
          await page.getByLabel("Ends").fill(field(new Date(now.getTime() + 3_600_000)))
          await page.getByLabel("Critical alerts are told all the same").uncheck()
          await page.getByRole("button", { name: "Save", exact: true }).click()
          await page.locator("[data-testid=window]").getByText("silences now").waitFor()
          await checkAxe(page, "real calendar")
          await shoot("calendar")
          await page.evaluate(() => (location.hash = "#/alerts"))
          await page.locator(".alert-row .held-chip").getByText("maintenance").first().waitFor()
          await shoot("held-back")
          await page.evaluate(() => (location.hash = "#/maintenance"))
          await page.locator(".upcoming").getByText("Fibre works").click()
          await page.getByRole("button", { name: "End now" }).click()
          await page.locator("[data-testid=window]").getByText("over", { exact: true }).waitFor()
        },
      )
      await t.test(
        "a rule from a pack is written, checked with the engine's own words, tried on the past, saved",
        async () => {
          await page.evaluate(() => (location.hash = "#/rules?open=interface-down"))
          const text = page.getByLabel("Rule as JSON")
          await text.waitFor()
          await text.fill((await text.inputValue()).replace('"interface.oper_up"', '"interface.oper"'))
          await page.locator(".mistake-list").getByText("condition.conditions[1].metric").waitFor()
          await shoot("rule-mistake")
          await page.getByRole("button", { name: "Discard changes" }).click()
          await page.getByRole("button", { name: "Back-test" }).click()
          await page.getByRole("button", { name: "1 h", exact: true }).click()
          await page.getByRole("button", { name: "Test", exact: true }).click()
          await page.waitForSelector(".test-bar")
          await shoot("back-test")
          await page.getByRole("button", { name: "New rule" }).click()
          await page.getByLabel("Begin from").selectOption("cpu-high")
          await page.getByRole("button", { name: "Begin", exact: true }).click()
          await page.locator(".limit-part input").first().fill("99")
          await page.getByRole("button", { name: "Save", exact: true }).click()
          await page.locator("[data-id=cpu-high-2]").getByText("yours").waitFor()
          await checkAxe(page, "real rules")
          await shoot("rules")
        },
      )
      await t.test("the link is mended: the list says so by itself", async () => {
        await page.evaluate(() => (location.hash = "#/alerts"))
        await scene.lab.fault("mend", link.a, link.b)
        await page.waitForFunction(
          (names) =>
            [...document.querySelectorAll(".alert-row")].every(
              (row) =>
                !(
                  /interface-down|Interface down/.test(row.textContent ?? "") &&
                  names.some((name) => row.textContent?.includes(name))
                ),
            ),
          [link.a, link.b],
        )
      })
      assert.deepEqual(watch.foreign, [])
      assert.deepEqual(watch.errors, [])
      assert.deepEqual(await page.evaluate(() => window.__violations), [])
    })
  },
)

const firingOf = async (page: Page, ...names: readonly string[]): Promise<string> => {
  const found = await page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll<HTMLElement>(".alert-row")].find(
        (row) => /firing/.test(row.textContent ?? "") && wanted.some((name) => row.textContent?.includes(name)),
      )?.dataset["id"],
    names,
  )
  return (await found.jsonValue()) as string
}

/** One whose loss isolates nobody. */
const coreLink = async (scene: Scene): Promise<{ readonly a: string; readonly b: string }> => {
  const { routers, links } = await scene.lab.truth()
  const core = new Set(routers.filter(({ roles }) => roles.includes("core")).map(({ name }) => name))
  const link = links.find(({ a, b }) => core.has(a) && core.has(b))
  assert.ok(link !== undefined, "the emulated ISP has a core")
  return link
}
