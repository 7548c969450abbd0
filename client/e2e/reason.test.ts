/**
 * The screens of Reason where they are hard to fit: three sizes of screen, both languages, names of 60 characters, no row
 * and 500; and what holds one's place: addresses that show the same after a reload, the way back, where the focus goes.
 * Pictures: out/e2e/screens/.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Page } from "playwright-core"
import { manyIncidents, siteIncident } from "#client/e2e/fixture-incidents.ts"
import type { FixtureNetwork } from "#client/e2e/fixture-network.ts"
import type { Fixture } from "#client/e2e/fixture-server.ts"
import { checkAxe } from "#client/e2e/scenario.ts"
import { skip, visit } from "#client/e2e/visit.ts"

const ID = "4800-0"
const SIZES = [
  [1280, 720],
  [1440, 900],
  [1920, 1080],
] as const
const NAME_LETTERS = 60

const outage = (fixture: Fixture): void => {
  const view = siteIncident(fixture.network, 0, Date.now())
  fixture.incidents.set([view])
  const dark = new Set(view.impact.devices)
  for (const [slot, id] of fixture.network.nodes.id.entries()) if (dark.has(id)) fixture.kill(slot)
}
const longNames = ({ nodes, sites }: FixtureNetwork): void => {
  const stretched = (name: string): string => `${name} ${"POP Central de Dados ".repeat(4)}`.slice(0, NAME_LETTERS)
  for (const names of [nodes.name, sites.name] as string[][])
    names.forEach((name, at) => (names[at] = `${stretched(name).slice(0, -String(at).length - 1)} ${at}`))
}

const goTo = async (page: Page, hash: string, ready: string): Promise<void> => {
  await page.evaluate((to) => (location.hash = to), hash)
  await page.waitForSelector(ready)
}
interface Ill {
  readonly sideways: number
  /** Texts that are cut and cannot be read in full anywhere. */
  readonly lost: readonly string[]
  /** The figures over the map reach under the list beside it. */
  readonly covered: boolean
  /** Controls that reach out of the window with nothing to scroll them into it. */
  readonly outside: readonly string[]
}
const illsOf = (page: Page): Promise<Ill> =>
  page.evaluate(() => {
    const shown = (element: Element) => element.getClientRects().length > 0
    const scrolls = (element: Element): boolean => {
      for (let at: Element | null = element.parentElement; at !== null; at = at.parentElement)
        if (/auto|scroll/.test(getComputedStyle(at).overflowX + getComputedStyle(at).overflowY)) return true
      return false
    }
    const all = [...document.querySelectorAll<HTMLElement>(".shell *")].filter(shown)
    const cut = all.filter(
      (element) =>
        element.childElementCount === 0 &&
        element.closest(".unseen, svg, canvas, .maplibregl-map") === null &&
        getComputedStyle(element).textOverflow === "ellipsis" &&
        element.scrollWidth > element.clientWidth + 1,
    )
    const controls = all.filter((element) => element.matches("button, a, input, select"))
    const name = (element: HTMLElement) => `${element.className}: ${(element.textContent ?? "").slice(0, 80)}`
    return {
      covered:
        (document.querySelector(".kpis")?.getBoundingClientRect().right ?? 0) >
        (document.querySelector(".map-screen > .side, .map-screen > .selection")?.getBoundingClientRect().left ??
          innerWidth),
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      lost: cut
        .filter((element) => {
          element.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }))
          return element.closest("[title]:not([title=''])") === null
        })
        .map(name),
      outside: controls
        .filter((element) => {
          const { left, right, top, bottom, width } = element.getBoundingClientRect()
          const out = left < -1 || right > innerWidth + 1 || top < -1 || bottom > innerHeight + 1
          return (
            width > 1 && out && !scrolls(element) && element.closest(".map-label, .incident-pin, .map-screen") === null
          )
        })
        .map(name),
    }
  })

const PLACES = [
  ["list", "#/incidents", ".incident-row"],
  ["room", `#/incidents?open=${ID}`, "[data-testid=cause]"],
  ["room-graph", `#/incidents/graph?open=${ID}`, ".room .graph-canvas"],
  ["map", "#/map", ".incident-pin"],
  ["map-incident", `#/map?open=${ID}`, "[data-testid=chosen]"],
  ["graph", "#/graph", "[data-testid=graph]"],
  ["proposals", "#/topology", ".screen-head"],
  ["next", "#/whatif/next", ".next-row"],
  ["single", "#/whatif/single", ".row"],
  ["whatif", "#/whatif", ".sim-banner"],
] as const

/** What fits a low screen has only its widths to prove on a larger one. */
const WIDE = PLACES.filter(([name]) => ["room", "map-incident", "next"].includes(name))

for (const locale of ["pt-BR", "en-GB"])
  test(
    `[U4] [U5] three sizes, names of ${NAME_LETTERS} letters, ${locale}: nothing runs out, nothing cut is lost`,
    { skip },
    async () => {
      const prepare = (fixture: Fixture) => {
        longNames(fixture.network)
        outage(fixture)
      }
      await visit("incidents", { nodes: 60, prepare, context: { locale } }, async ({ page, shoot }) => {
        for (const [width, height] of SIZES) {
          await page.setViewportSize({ width, height })
          for (const [name, hash, ready] of height === 720 ? PLACES : WIDE) {
            await goTo(page, hash, ready)
            const ills = await illsOf(page)
            if (height === 720) await shoot(`long-${name}-${locale}`)
            assert.deepEqual(ills, { sideways: 0, covered: false, lost: [], outside: [] }, `${name} ${width}x${height}`)
          }
        }
      })
    },
  )

test("[U5] a low screen keeps every list of the map's side, and the room its symptoms", { skip }, async () => {
  const prepare = (fixture: Fixture) => {
    outage(fixture)
    fixture.incidents.set(manyIncidents(fixture.network, Date.now(), 12))
  }
  await visit(
    "map",
    { nodes: 60, prepare, context: { viewport: { width: 1280, height: 720 } } },
    async ({ page, shoot }) => {
      await page.waitForSelector("[data-testid=trouble] .row")
      await page.waitForSelector("[data-testid=side-incidents] .row")
      const high = (selector: string) => page.locator(selector).evaluate((element) => element.clientHeight)
      assert.ok((await high("[data-testid=trouble]")) >= 100, "what is wrong has room")
      assert.ok((await high("[data-testid=side-incidents]")) >= 100, "incidents have room")
      assert.ok((await page.locator(".side .event-rows li:visible").count()) >= 2)
      await shoot("low-map")
      await goTo(page, `#/incidents?open=${ID}`, "[data-testid=symptoms] .symptom")
      assert.ok((await high(".room-symptoms")) >= 120)
      assert.ok((await high(".reach-body")) >= 120)
      await shoot("low-room")
    },
  )
})

test("[U5] the ranking says the redundancy in full at 1440 and at 1280", { skip }, async () => {
  for (const locale of ["pt-BR", "en-GB"])
    for (const [width, height] of SIZES.slice(0, 2))
      await visit("whatif/next", { nodes: 60, context: { locale, viewport: { width, height } } }, async ({ page }) => {
        await page.waitForSelector(".next-row")
        const cut = await page
          .locator(".next-row > :last-child > :first-child, .grid-head > span")
          .evaluateAll((all) =>
            all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
          )
        assert.deepEqual(cut, [], `${locale} ${width}`)
        const said = await page.locator(".next-row > :last-child small").allInnerTexts()
        assert.ok(
          said.every((text) => !/\b1 (links|routers|enlaces|roteadores)\b/.test(text)),
          said.join(" | "),
        )
      })
})

test("[U5] no incident, one, five hundred: the list says how many, and holds what is in sight", { skip }, async () => {
  await visit("incidents", { nodes: 60 }, async ({ page, fixture }) => {
    await page.waitForSelector("[data-testid=incidents-quiet]")
    for (const count of [1, 500, 0]) {
      fixture.incidents.set(manyIncidents(fixture.network, Date.now(), count))
      fixture.tellIncidents()
      await page.waitForFunction(
        (text) => document.querySelector("[data-testid=incident-count]")?.textContent === text,
        String(count),
      )
      assert.ok((await page.locator(".incident-row").count()) <= Math.min(count, 40))
      await checkAxe(page, `${count} incidents`)
    }
    await page.waitForSelector("[data-testid=incidents-quiet]")
  })
})

test(
  "[U5] by keyboard alone: the room takes the focus, the list has it back, and so after every dialog",
  { skip },
  async () => {
    // One that is escalated already cannot be again.
    const prepare = (fixture: Fixture) =>
      fixture.incidents.set(
        manyIncidents(fixture.network, Date.now(), 14).map((view) => ({ ...view, escalated: false })),
      )
    await visit("incidents", { nodes: 60, prepare }, async ({ page }) => {
      await page.waitForSelector(".incident-row")
      const focused = (selector: string) =>
        page.waitForFunction((one) => document.activeElement?.matches(one) === true, selector)
      const cursor = () => page.locator(".incidents-grid [aria-selected=true]").getAttribute("data-id")
      await page.keyboard.press("j")
      await page.keyboard.press("j")
      const id = await cursor()
      for (const key of ["n", "e", "c"]) {
        await page.keyboard.press(key)
        await page.waitForSelector("dialog[open]")
        await page.keyboard.press("Escape")
        await focused(".incidents-grid")
      }
      await page.keyboard.press("Enter")
      await focused("#room-title")
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), await page.locator("h1").innerText())
      await page.keyboard.press("n")
      await page.waitForSelector("dialog[open]")
      await page.keyboard.press("Escape")
      await focused("#room-title")
      await page.keyboard.press("Escape")
      await focused(".incidents-grid")
      assert.equal(await cursor(), id, "the row that was open")
      await page.keyboard.press("j")
      assert.notEqual(await cursor(), id, "one press is one row")
    })
  },
)

test(
  "[U5] every address shows the same after a reload, and the way back is the way that was gone",
  { skip },
  async () => {
    await visit("incidents", { nodes: 60, prepare: outage }, async ({ page, fixture }) => {
      const device = fixture.network.nodes.id[0] as string
      const link = fixture.network.links.id[0] as string
      const alone: readonly (readonly [string, string])[] = [
        ...PLACES.filter(([name]) => ["room-graph", "map-incident", "proposals", "next"].includes(name)).map(
          ([, hash, ready]) => [hash, ready] as const,
        ),
        [`#/map?device=${device}`, "[data-testid=panel] h2"],
        [`#/map?link=${link}`, "[data-testid=panel] h2"],
        [`#/graph?open=${ID}&device=${device}`, "[data-testid=panel] h2"],
        [`#/whatif?open=${encodeURIComponent(`router~${device}`)}`, ".sim-faults li"],
      ]
      for (const [hash, ready] of alone) {
        await goTo(page, hash, ready)
        const title = () => page.locator("h1, h2").first().innerText()
        const before = await title()
        await page.reload()
        await page.waitForSelector(ready)
        assert.ok(new URL(page.url()).hash.startsWith(hash), `${hash} became ${new URL(page.url()).hash}`)
        assert.equal(await title(), before, hash)
      }
      await goTo(page, "#/incidents", ".incident-row")
      await page.locator(".incident-row").first().click()
      await page.waitForSelector("[data-testid=cause]")
      await page.getByRole("button", { name: "Graph", exact: true }).click()
      await page.waitForSelector(".room .graph-canvas")
      assert.equal(new URL(page.url()).hash, `#/incidents/graph?open=${ID}`)
      await page.goBack()
      await page.waitForSelector(".incidents-grid")
      await page.goForward()
      await page.waitForSelector(".room .graph-canvas")
      await page.keyboard.press("1")
      await page.waitForSelector("[data-testid=map]")
      assert.match(new URL(page.url()).hash, /^#\/map(\?|$)/, "a part of one screen is none of another")
    })
  },
)
