/** The inbox of proposals in a real browser against the fixture: by keyboard, with a look first where one is due, in bulk. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { skip, visit } from "#client/e2e/visit.ts"
import { checkAxe } from "#client/e2e/scenario.ts"

const count = (page: Page) => page.locator("[data-testid=proposal-count]").innerText()
const waitCount = (page: Page, wanted: number) =>
  page.waitForFunction(
    (text) => document.querySelector("[data-testid=proposal-count]")?.textContent === text,
    String(wanted),
  )
const selected = (page: Page) => page.locator(".proposals-grid [aria-selected=true]").getAttribute("data-id")

test(
  "[W1] [U8] proposals by keyboard: j and k move, Enter opens, y accepts, x rejects with a note, e corrects the ends",
  { skip },
  async () => {
    await visit("topology", {}, async ({ page, fixture, shoot }) => {
      await page.waitForSelector(".proposal-row")
      assert.equal(await count(page), "14")
      await page.keyboard.press("j")
      assert.equal(await selected(page), "p-0")
      await page.keyboard.press("j")
      await page.keyboard.press("k")
      await page.keyboard.press("Enter")
      await page.waitForSelector("[data-testid=proposal]")
      assert.match(new URL(page.url()).hash, /^#\/topology\?open=p-0/)
      await page.waitForFunction(() => window.__twin?.ready() === true)
      await checkAxe(page, "proposal, dark")
      await shoot("topology-proposal")
      await page.keyboard.press("y")
      await page.getByText(/^Accepted: /).waitFor()
      await waitCount(page, 13)
      assert.equal(await selected(page), "p-1", "the keyboard goes on to the next")
      assert.equal(fixture.proposals.links().find(({ id }) => id === "p-0")?.state, "accepted")
      await page.keyboard.press("x")
      await page.waitForSelector("dialog[open] [name=note]")
      await checkAxe(page, "reject")
      await page.keyboard.type("wrong cable")
      await page.keyboard.press("Enter")
      await waitCount(page, 12)
      assert.equal(fixture.proposals.links().find(({ id }) => id === "p-1")?.decided?.note, "wrong cable")
      assert.equal(await selected(page), "p-2")
      await page.locator(".proposals-grid").focus()
      await page.keyboard.press("y")
      await page.waitForSelector("dialog[open] [name=interfaceB]")
      assert.equal(
        await page.locator("dialog [type=submit]").getAttribute("aria-disabled"),
        "true",
        "an end without a port is nobody's link",
      )
      assert.ok((await page.locator("#proposed-ports-B option").count()) > 0, "what was measured is offered")
      await page.fill("[name=interfaceB]", "ether9")
      await checkAxe(page, "ends")
      await page.keyboard.press("Enter")
      await waitCount(page, 11)
      assert.match(JSON.stringify(fixture.proposals.accepted[1]?.["b"]), /"interface":"ether9"/)
    })
  },
)

test("[W1] a proposal that would move a declared link asks first; cancelling moves nothing", { skip }, async () => {
  await visit("topology?open=p-4", {}, async ({ page, fixture }) => {
    await page.waitForSelector("[data-testid=proposal]")
    await page.getByText("Contradicts the declared link").waitFor()
    await page.locator(".proposals-grid").focus()
    await page.keyboard.press("y")
    await page.getByRole("button", { name: "Move the declared link" }).waitFor()
    await page.keyboard.press("Escape")
    await page.waitForSelector("dialog.dialog", { state: "detached" })
    assert.equal(fixture.proposals.accepted.length, 0)
    assert.equal(await count(page), "14")
  })
})

test(
  "[W1] [W2] a bulk shows what it would take, takes that and no more, and it stands in the history",
  { skip },
  async () => {
    await visit("topology", {}, async ({ page, fixture, shoot }) => {
      await page.waitForSelector(".proposal-row")
      await page.getByRole("button", { name: "Accept many…" }).click()
      await page.getByRole("button", { name: "70 %" }).click()
      const rows = await page.locator(".bulk-preview li").count()
      assert.ok(rows > 0 && rows < 7, "without those that need a look")
      assert.equal(fixture.proposals.accepted.length, 0, "a preview accepts nothing")
      await checkAxe(page, "bulk")
      await shoot("topology-bulk")
      await page.getByRole("button", { name: `Accept ${rows}` }).click()
      await page.getByText(`${rows} of ${rows} accepted.`).waitFor()
      assert.equal(fixture.proposals.accepted.length, rows)
      await page.locator("dialog .primary").click()
      await waitCount(page, 14 - rows)
      await page.getByRole("link", { name: "History" }).click()
      await waitCount(page, rows)
      assert.match(await page.locator(".proposal-row").first().innerText(), /accepted by admin/)
      await page.getByRole("link", { name: "Roles" }).click()
      await waitCount(page, 3)
      await page.locator(".proposals-grid").focus()
      await page.keyboard.press("y")
      await waitCount(page, 2)
    })
  },
)

test("[S1] who may only read sees proposals and history, and decides nothing", { skip }, async () => {
  await visit("topology?open=p-0", { user: "viewer" }, async ({ page, fixture }) => {
    await page.waitForSelector("[data-testid=proposal]")
    assert.equal(await page.getByRole("button", { name: /Accept|Reject|Correct/ }).count(), 0)
    await page.getByText("takes the permission to change links").waitFor()
    await page.locator(".proposals-grid").focus()
    for (const key of ["y", "x", "e"]) await page.keyboard.press(key)
    assert.equal(await page.locator("dialog[open]:not(.help)").count(), 0)
    assert.ok(fixture.proposals.links().every(({ state }) => state === "open"))
  })
})

test("[W1] an empty inbox explains itself; a refusal is said; names stay text", { skip }, async () => {
  const evil = `<img src=x onerror="window.__hacked=1">"'</script>`
  await visit("topology", { prepare: ({ proposals }) => proposals.setLinks([]) }, async ({ page, fixture }) => {
    await page.getByText("Nothing becomes a link until somebody accepts it.").waitFor()
    await checkAxe(page, "empty inbox")
    const [one] = (await import("#client/e2e/fixture-proposals.ts")).manyLinks(fixture.network, 1)
    assert.ok(one)
    fixture.proposals.setLinks([
      { ...one, a: { ...one.a, deviceName: evil }, against: evil, evidence: [{ kind: evil, text: evil, weight: 0.4 }] },
    ])
    await page.getByRole("button", { name: "Read again" }).click()
    await page.locator(".proposal-row").getByText(evil).first().click()
    await page.locator(".proposal-against").getByText(evil).waitFor()
    fixture.proposals.setLinks([])
    await page.locator(".proposals-grid").focus()
    await page.keyboard.press("y")
    await page.locator(".problem").waitFor()
    assert.equal(await page.evaluate(() => "__hacked" in window), false)
    assert.equal(await page.locator("main img").count(), 0)
  })
})

test("[U10] [U8] at 390 px and in the light theme: nothing is cut off, axe finds nothing", { skip }, async () => {
  const screens = [
    "whatif?open=router~00000000-0000-7000-8000-000000000001",
    "whatif/next",
    "whatif/single",
    "whatif/blind",
    "whatif/drift",
    "topology?open=p-4",
    "topology/history",
  ]
  for (const screen of screens) {
    await visit(screen, { context: { viewport: { width: 390, height: 844 }, locale: "pt-BR" } }, async ({ page }) => {
      await page.waitForSelector("h1, .sim-impact")
      await page.waitForTimeout(500)
      assert.equal(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        0,
        screen,
      )
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
      await page.keyboard.press("t")
      await page.waitForTimeout(200)
      await checkAxe(page, `${screen}, light, 390 px`)
    })
  }
})
