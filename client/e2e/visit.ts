/**
 * A visit to a screen: the fixture, a page of its own, signed in; afterwards nothing left the origin, broke the policy or
 * threw. The bundle is built once for each test file. Pictures: out/e2e/screens/.
 */
import assert from "node:assert/strict"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before } from "node:test"
import { fileURLToPath } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { buildAll } from "#client/build/build.ts"
import { CHROMIUM, ENABLE, hasChromium, launch } from "#client/e2e/browser.ts"
import { startFixture } from "#client/e2e/fixture-server.ts"
import type { Fixture, FixtureOptions } from "#client/e2e/fixture-server.ts"
import { watchPage } from "#client/e2e/scenario.ts"

const PICTURES = fileURLToPath(new URL("../../out/e2e/screens/", import.meta.url))
export const skip = hasChromium() ? false : `no Chromium at ${CHROMIUM}; ${ENABLE}`
const PATIENCE_MS = 90_000
let browser: Browser
let dist: string

before(async () => {
  if (skip !== false) return
  dist = await mkdtemp(join(tmpdir(), "heliograph-screens-"))
  await mkdir(PICTURES, { recursive: true })
  await buildAll({ dist })
  browser = await launch()
})
after(async () => {
  if (skip !== false) return
  await browser.close()
  await rm(dist, { recursive: true, force: true })
})

export interface Visit {
  readonly page: Page
  readonly fixture: Fixture
  readonly shoot: (name: string) => Promise<void>
}
type VisitOptions = Partial<FixtureOptions> & {
  readonly context?: BrowserContextOptions
  readonly prepare?: (fixture: Fixture) => void
}

/** A page of its own at an address, nobody signed in. */
export const visitDoor = async (
  path: string,
  options: VisitOptions,
  run: (visit: Visit) => Promise<void>,
): Promise<void> => {
  const { context: given, prepare, ...more } = options
  const fixture = await startFixture({ nodes: 30, tickMs: 0, dist, ...more })
  prepare?.(fixture)
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "America/Sao_Paulo",
    reducedMotion: "reduce",
    ...given,
  })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    const watch = await watchPage(page, fixture.url)
    await page.goto(`${fixture.url}/${path}`)
    const shoot = async (name: string) => void (await page.screenshot({ path: join(PICTURES, `${name}.png`) }))
    await run({ page, fixture, shoot })
    assert.deepEqual(watch.foreign, [])
    assert.deepEqual(watch.errors, [])
    assert.deepEqual(await page.evaluate(() => window.__violations), [])
  } finally {
    await context.close()
    await fixture.close()
  }
}

export const visit = (
  screen: string,
  { user = "admin", ...options }: VisitOptions & { readonly user?: string },
  run: (visit: Visit) => Promise<void>,
): Promise<void> =>
  visitDoor(`#/${screen}`, options, async (visited) => {
    const { page } = visited
    await page.fill("[name=user]", user)
    await page.fill("[name=password]", "right")
    await page.click("[type=submit]")
    await page.waitForSelector(".shell")
    await page.waitForFunction(() => window.__twin?.state() != null)
    await run(visited)
  })
