/** The maintenance calendar in a real browser against the fixture: drag, keyboard, changes, where clocks change. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { skip, visit } from "#client/e2e/visit.ts"
import { checkAxe } from "#client/e2e/scenario.ts"

test(
  "[I6] the calendar: planned by a drag, by keyboard, a change begun and completed, ended now",
  { skip },
  async () => {
    await visit("maintenance", {}, async ({ page, fixture, shoot }) => {
      await page.waitForSelector(".plan-bar")
      await checkAxe(page, "calendar week, dark")
      await shoot("calendar-week-en-dark")
      // Of this week some days are over; what would be over already cannot be planned.
      await page.getByRole("button", { name: "Ahead a week" }).click()
      await page.waitForSelector(".plan-bar")
      const box = await page.locator(".week-column").nth(2).boundingBox()
      assert.ok(box !== null)
      await page.mouse.move(box.x + 60, box.y + 44 * 9 + 2)
      await page.mouse.down()
      await page.mouse.move(box.x + 60, box.y + 44 * 11 + 10, { steps: 4 })
      await page.waitForSelector(".week-drag")
      await page.mouse.up()
      await page.waitForSelector("dialog[open]")
      assert.match(await page.getByLabel("Begins").inputValue(), /T09:00$/)
      assert.match(await page.getByLabel("Ends").inputValue(), /T11:15$/)
      await page.getByText("it covers the whole network").waitFor()
      await page.getByRole("button", { name: "Change", exact: true }).click()
      await page.getByLabel("Title").fill("RouterOS na borda")
      const site = page.getByLabel("Site", { exact: true })
      await site.fill("sao paulo")
      await page.keyboard.press("Enter")
      await page.locator(".picked").getByText("São Paulo").waitFor()
      assert.equal(await page.getByText("it covers the whole network").count(), 0)
      await checkAxe(page, "plan dialog")
      await shoot("calendar-plan-en-dark")
      await page.getByRole("button", { name: "Save", exact: true }).click()
      await page.locator("[data-testid=window]").getByText("Change · planned").waitFor()
      const made = fixture.judgement.windows().at(-1)
      assert.deepEqual([made?.kind, made?.durationSeconds, made?.timeZone], ["change", 8_100, "America/Sao_Paulo"])
      await page.getByRole("button", { name: "Begin" }).click()
      await page.getByText("Change · under way").first().waitFor()
      await page.getByRole("button", { name: "Complete" }).click()
      await page.getByText("Change · completed").first().waitFor()
      await page.getByRole("button", { name: "Close panel" }).click()
      await page.locator(".upcoming [data-row]").first().waitFor()
      await page.keyboard.press("j")
      await page.keyboard.press("Enter")
      await page.getByText("silences now").waitFor()
      await page.getByRole("button", { name: "End now" }).click()
      await page.getByText("over", { exact: true }).waitFor()
      await page.getByRole("button", { name: "Close panel" }).click()
      await page
        .getByRole("button", { name: /^Plan on / })
        .first()
        .focus()
      await page.keyboard.press("Enter")
      await page.waitForSelector("dialog[open]")
      assert.match(await page.getByLabel("Begins").inputValue(), /T22:00$/)
      await page.getByRole("button", { name: "Every week" }).click()
      await page.getByLabel("Title").fill("x")
      await page.getByText("Choose at least one day of the week.").waitFor()
      await page.keyboard.press("Escape")
      await page.waitForSelector("dialog.dialog", { state: "detached" })
      await page.getByRole("button", { name: "Month" }).click()
      await page.waitForSelector(".month-week")
      await checkAxe(page, "calendar month, dark")
      await shoot("calendar-month-en-dark")
    })
  },
)

test(
  "[I6] the calendar where clocks change: the day says so, and the hour that is missing is no hour",
  { skip },
  async () => {
    const winter = { timezoneId: "Europe/Berlin" }
    await visit("maintenance", { context: winter }, async ({ page, shoot }) => {
      await page.waitForSelector(".week-column")
      // To the last week of March, whenever this runs.
      const steps = await page.evaluate(() => {
        const now = new Date()
        const year = now.getMonth() > 2 ? now.getFullYear() + 1 : now.getFullYear()
        const change = new Date(year, 2, 31)
        change.setDate(31 - change.getDay())
        const monday = (date: Date) => Math.floor((date.getTime() / 86_400_000 + 3) / 7)
        return monday(change) - monday(now)
      })
      for (let step = 0; step < steps; step++) await page.getByRole("button", { name: "Ahead a week" }).click()
      await page.getByText("23 h: clocks go forward").waitFor()
      assert.equal(await page.locator(".week-gap.skipped").count(), 1)
      const band = await page.locator(".week-gap").evaluate((gap: HTMLElement) => [gap.offsetTop, gap.offsetHeight])
      assert.deepEqual(band, [88, 44], "from 02:00 to 03:00")
      await checkAxe(page, "clocks change")
      await shoot("calendar-clocks-en-dark")
      await page.getByRole("button", { name: /^Plan on Sunday/ }).click()
      const begins = page.getByLabel("Begins")
      await begins.fill(`${(await begins.inputValue()).slice(0, 10)}T02:30`)
      await page.getByText("The clocks skip that time: it begins at 03:30.").waitFor()
    })
  },
)
