/**
 * What a person must be able to see and do, whoever serves the page: the client's fixture or the real engine. Each step is
 * a subtest named after its promise. The caller says where the page is, how to sign in, and how to cut and mend one link.
 */
import assert from "node:assert/strict"
import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestContext } from "node:test"
import type { Browser, Page } from "playwright-core"
import { takePicture } from "#client/e2e/picture.ts"
import type { Picture, Rgb } from "#client/e2e/picture.ts"
import type { TestHook } from "#client/state/test-hook.ts"

declare global {
  interface Window {
    __twin?: TestHook
    __violations?: string[]
  }
}

export interface ScenarioOptions {
  readonly browser: Browser
  readonly baseUrl: string
  readonly user: string
  readonly password: string
  /** Breaks one link between two routers, and gives it back. The scenario finds out which one. */
  readonly cut: () => Promise<void>
  readonly mend: () => Promise<void>
  /** Where the pictures go. */
  readonly pictures: string
  /** Longest wait for anything; generous, as two busy cores draw in software. */
  readonly patienceMs?: number
}

const VIEWPORT = { width: 1440, height: 900 }
const PATIENCE_MS = 45_000
/** A mark's colour is looked for this near to its projected place. */
const REACH_PX = 3

export const runScenario = async (t: TestContext, options: ScenarioOptions): Promise<void> => {
  await mkdir(options.pictures, { recursive: true })
  const context = await options.browser.newContext({ viewport: VIEWPORT, locale: "pt-BR", reducedMotion: "reduce" })
  const page = await context.newPage()
  page.setDefaultTimeout(options.patienceMs ?? PATIENCE_MS)
  const watch = await watchPage(page, options.baseUrl)
  const shoot = (name: string) => takePicture(page, join(options.pictures, `${name}.png`))
  try {
    await t.test("a stranger sees the sign-in; a wrong password is refused in words", async () => {
      await page.goto(options.baseUrl)
      await page.waitForSelector("form")
      assert.equal(await page.locator(".shell").count(), 0)
      await signIn(page, options.user, "wrong")
      await page.waitForSelector("[role=alert]")
      await shoot("sign-in")
      await checkAxe(page, "sign-in")
    })
    await t.test(
      "after signing in every drawn router has its colour at its place, on a picture that is not blank",
      async () => {
        await signIn(page, options.user, options.password)
        await mapReady(page)
        await checkNodes(page, await shoot("map-dark"))
      },
    )
    await t.test("a cut link is seen broken on the map and in the list, and whole again when mended", async () => {
      const before = await linkBytes(page)
      await options.cut()
      const slot = await changedLink(page, before)
      await settled(page)
      const { red, id } = await redAlong(page, await shoot("map-cut"), slot)
      assert.ok(red >= 3, `link ${id} is drawn broken: ${red} red pixels along it`)
      await page.waitForSelector("[data-testid=trouble] [data-row]")
      await options.mend()
      await page.waitForFunction(
        ([at, old]) => window.__twin?.state()?.links.status[at as number] === old,
        [slot, before[slot]],
      )
      await settled(page)
      const after = await redAlong(page, await takePicture(page), slot)
      assert.equal(after.red, 0, "no red is left along the mended link")
    })
    await t.test("a click on a router opens its panel; Escape closes it", async () => {
      const target = await lonelyNode(page)
      await page.mouse.click(target.x, target.y)
      await page.waitForSelector("[data-testid=panel] h2")
      assert.equal(await page.locator("[data-testid=panel] h2").innerText(), target.name)
      await page.waitForSelector("[data-testid=panel] .facts")
      await settled(page)
      await shoot("device")
      await checkAxe(page, "device panel")
      await page.keyboard.press("Escape")
      await page.waitForSelector("[data-testid=panel]", { state: "detached" })
    })
    await t.test("a dropped socket resumes without a second keyframe", async () => {
      const before = await stats(page)
      await page.evaluate(() => window.__twin?.dropSocket())
      await page.waitForFunction(
        (old) => window.__twin?.phase() === "live" && window.__twin.stats.resumes > old.resumes,
        before,
      )
      await page.waitForFunction((old) => (window.__twin?.stats.deltas ?? 0) > old.deltas, before)
      assert.equal((await stats(page)).keyframes, before.keyframes)
    })
    await t.test("search finds a router by keyboard alone; the device table counts them all", async () => {
      const { name, total } = await page.evaluate(() => {
        const names = window.__twin?.state()?.nodes.name ?? []
        return { name: names.at(-1) ?? "", total: names.length }
      })
      await page.keyboard.press("/")
      await page.keyboard.type(name)
      await page.waitForSelector("[role=option] >> nth=0")
      await page.keyboard.press("Enter")
      await page.waitForFunction((text) => document.querySelector("[data-testid=panel] h2")?.textContent === text, name)
      await page.keyboard.press("2")
      const count = await page.locator("[data-testid=device-count]").innerText()
      assert.equal(Number(count.replace(/\D/g, "")), total)
      await page.waitForSelector("[role=row][data-id]")
      await shoot("devices")
      await checkAxe(page, "devices")
      await page.keyboard.press("3")
      await page.waitForSelector(".event-list")
      await shoot("events")
      await checkAxe(page, "events")
    })
    await t.test("axe finds nothing on the map, dark and light; the light map is drawn too", async () => {
      await page.keyboard.press("1")
      await page.keyboard.press("Escape")
      await mapReady(page)
      await checkAxe(page, "map, dark")
      await page.keyboard.press("t")
      await settled(page)
      await mapReady(page)
      await checkAxe(page, "map, light")
      await checkNodes(page, await shoot("map-light"))
    })
    await t.test("nothing left the origin, the policy was kept, the page threw nothing", async () => {
      assert.deepEqual(watch.foreign, [])
      assert.deepEqual(await page.evaluate(() => window.__violations), [])
      assert.deepEqual(watch.errors, [])
    })
  } finally {
    await context.close()
  }
}

export interface Watch {
  readonly foreign: string[]
  readonly errors: string[]
}

export const watchPage = async (page: Page, baseUrl: string): Promise<Watch> => {
  const watch: Watch = { foreign: [], errors: [] }
  const own = new URL(baseUrl).host
  page.on("request", (request) => {
    const url = new URL(request.url())
    if (!["data:", "blob:"].includes(url.protocol) && url.host !== own) watch.foreign.push(request.url())
  })
  page.on("pageerror", (error) => watch.errors.push(error.message))
  await page.addInitScript(() => {
    window.__violations = []
    document.addEventListener("securitypolicyviolation", (event) =>
      window.__violations?.push(
        `${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`,
      ),
    )
  })
  return watch
}

export const signIn = async (page: Page, user: string, password: string): Promise<void> => {
  await page.fill("[name=user]", user)
  await page.fill("[name=password]", password)
  await page.click("[type=submit]")
}

export const mapReady = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => window.__twin?.ready() === true && window.__twin.drawn().length > 0)
  await settled(page)
}

/** Two animation frames and an idle map: what was changed is on the glass. */
export const settled = async (page: Page): Promise<void> => {
  await page.waitForTimeout(900) // the fade of a mark; there is no event at its end
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}

const stats = (page: Page) => page.evaluate(() => ({ ...(window.__twin as TestHook).stats }))
const linkBytes = (page: Page) => page.evaluate(() => [...(window.__twin?.state()?.links.status ?? [])])

const changedLink = async (page: Page, before: readonly number[]): Promise<number> => {
  const found = await page.waitForFunction((old) => {
    const now = window.__twin?.state()?.links.status ?? new Uint8Array()
    const slot = [...now].findIndex((byte, at) => byte !== old[at] && [3, 4].includes(byte & 7))
    return slot < 0 ? false : { slot }
  }, before)
  return ((await found.jsonValue()) as { slot: number }).slot
}

const token = async (page: Page, name: string): Promise<Rgb> => {
  const hex = await page.evaluate(
    (css) => getComputedStyle(document.documentElement).getPropertyValue(css).trim(),
    name,
  )
  const value = Number.parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

const MARK_TOKENS = ["--critical", "--major", "--warning", "--unknown", "--maintenance", "--ok"]

const checkNodes = async (page: Page, picture: Picture): Promise<void> => {
  assert.ok(picture.colors() > 60, `the picture has ${picture.colors()} colours: it is blank`)
  const nodes = await drawnNodes(page)
  assert.ok(nodes.length > 0, "at least one router is drawn in the open")
  const colors = await Promise.all(MARK_TOKENS.map((name) => token(page, name)))
  const missing = nodes.filter(({ x, y }) => !colors.some((color) => picture.has(x, y, color, REACH_PX)))
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
    `of ${nodes.length} drawn routers these have no mark at their place`,
  )
}

/** Nodes that are drawn and not under a panel or a label. */
const drawnNodes = (page: Page) =>
  page.evaluate(() => {
    const twin = window.__twin as TestHook
    return twin.drawn().flatMap((slot) => {
      const place = twin.screen(slot)
      if (place === null) return []
      const top = document.elementFromPoint(place.x, place.y)
      if (top === null || !(top instanceof HTMLCanvasElement)) return []
      return [{ slot, ...place, name: twin.state()?.nodes.name[slot] ?? "" }]
    })
  })

/** A drawn node with no other within 26 pixels, so that a click can only mean it. */
const lonelyNode = async (page: Page) => {
  const nodes = await drawnNodes(page)
  const alone = nodes.find((node) =>
    nodes.every((other) => other.slot === node.slot || Math.hypot(other.x - node.x, other.y - node.y) > 26),
  )
  assert.ok(alone !== undefined, "some router stands alone on the map")
  return alone
}

/** Pixels of the critical colour along a link, panels and its ends left out. */
export const redAlong = async (page: Page, picture: Picture, slot: number) => {
  const line = await page.evaluate((at) => {
    const twin = window.__twin as TestHook
    const state = twin.state()
    const a = twin.screen(state?.links.a[at] ?? 0)
    const b = twin.screen(state?.links.b[at] ?? 0)
    if (a === null || b === null) return null
    const points = []
    for (let step = 0.15; step <= 0.85; step += 0.005) {
      const x = a.x + (b.x - a.x) * step
      const y = a.y + (b.y - a.y) * step
      if (document.elementFromPoint(x, y) instanceof HTMLCanvasElement) points.push({ x, y })
    }
    return { points, id: state?.links.id[at] }
  }, slot)
  assert.ok(line !== null && line.points.length > 0, "the link lies on the visible map")
  const red = await token(page, "--critical")
  return { id: line.id, red: line.points.filter(({ x, y }) => picture.has(x, y, red, 1)).length }
}

const AXE = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"))
interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
}

export const checkAxe = async (page: Page, what: string): Promise<void> => {
  await page.evaluate(await readFile(AXE, "utf8"))
  const { violations } = await page.evaluate(
    (tags) =>
      (window as unknown as { axe: { run: (root: Document, options: object) => Promise<AxeResult> } }).axe.run(
        document,
        {
          runOnly: { type: "tag", values: tags },
        },
      ),
    ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  )
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`)
  assert.deepEqual(found, [], `axe on ${what}`)
}
