/** The screens of judgement together: who may only read, at 390 px, in the light theme. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { BrowserContextOptions, Page } from "playwright-core"
import { skip, visit } from "#client/e2e/visit.ts"
import { checkAxe } from "#client/e2e/scenario.ts"

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 } }
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
const open = async (page: Page, hash: string) => {
  await page.evaluate((to) => (location.hash = to), hash)
}

test("[S1] who may only read sees everything and changes nothing", { skip }, async () => {
  await visit("alerts", { user: "viewer" }, async ({ page }) => {
    await page.locator(".alert-row").first().click()
    await page.waitForSelector(".because-text")
    assert.equal(await page.getByRole("button", { name: /Take|Mute/ }).count(), 0)
    await page.locator(".alerts-grid").focus()
    await page.keyboard.press("m")
    assert.equal(await page.locator("dialog[open]:not(.help)").count(), 0)
    await open(page, "#/rules?open=cpu-high")
    await page.getByLabel("Rule as JSON").waitFor()
    assert.equal(await page.getByRole("switch").count(), 0)
    assert.equal(await page.getByRole("button", { name: /Save|Import|New rule/ }).count(), 0)
    assert.ok(await page.getByLabel("Metric").first().isDisabled())
    await open(page, "#/maintenance")
    await page.waitForSelector(".plan-bar")
    assert.equal(await page.getByRole("button", { name: /^Plan/ }).count(), 0)
    await page.locator(".plan-bar").first().click()
    await page.waitForSelector("[data-testid=window] .facts")
    assert.equal(
      await page
        .locator("[data-testid=window] button")
        .getByText(/End now|Remove|Change/)
        .count(),
      0,
    )
  })
})

test("[U10] [U8] at 390 px and in the light theme: nothing is cut off, axe finds nothing", { skip }, async () => {
  for (const screen of [
    "alerts",
    "rules?open=cpu-high",
    "rules/test?open=cpu-high",
    "maintenance",
    "maintenance/month",
  ]) {
    await visit(screen, { context: { ...PHONE, locale: "pt-BR" } }, async ({ page, shoot }) => {
      await page.waitForSelector("h1")
      await page.waitForTimeout(400)
      assert.equal(await overflow(page), 0, screen)
      await shoot(`phone-${screen.replaceAll(/\W/g, "-")}`)
    })
    await visit(screen, { context: { locale: "pt-BR" } }, async ({ page, shoot }) => {
      await page.waitForSelector("h1")
      await page.waitForTimeout(400)
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
      await page.keyboard.press("t")
      await page.waitForTimeout(200)
      await checkAxe(page, `${screen}, light`)
      await shoot(`light-${screen.replaceAll(/\W/g, "-")}`)
    })
  }
})
