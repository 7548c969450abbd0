/**
 * A page of a real browser before a real engine and the emulated ISP: one browser for a test file, a context of its own for
 * each visit, patient, because polls and rules have their own time. Pictures: out/e2e/<name>/.
 */
import { mkdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import { after, before } from "node:test"
import type { Browser, Page } from "playwright-core"
import { ENABLE, hasChromium, launch } from "#client/e2e/browser.ts"
import { signIn, watchPage } from "#client/e2e/scenario.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { PASSWORD } from "#lab/drive/engine.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

export const skip = hasChromium() ? NO_POSTGRES : `no Chromium; ${ENABLE}`
export const PATIENCE_MS = 90_000

export interface RealPage {
  readonly scene: Scene
  readonly page: Page
  /** What left the origin, and what went wrong, so far. */
  readonly watch: Awaited<ReturnType<typeof watchPage>>
  readonly shoot: (name: string) => Promise<void>
}

/** To be called once, at the top of a test file: it hooks into its beginning and end. */
export const usePages = (name: string): ((hash: string, run: (visit: RealPage) => Promise<void>) => Promise<void>) => {
  const pictures = resolve(import.meta.dirname, `../../out/e2e/${name}`)
  let browser: Browser
  before(async () => {
    if (skip !== false) return
    await mkdir(pictures, { recursive: true })
    browser = await launch()
  })
  after(async () => browser?.close())

  return (hash, run) =>
    withScene({ routers: 24, seed: 1, pollSeconds: 2, push: true }, async (scene) => {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: "en-GB",
        reducedMotion: "reduce",
      })
      const page = await context.newPage()
      page.setDefaultTimeout(PATIENCE_MS)
      const watch = await watchPage(page, scene.engine.url)
      const shoot = async (picture: string) => void (await page.screenshot({ path: join(pictures, `${picture}.png`) }))
      try {
        await page.goto(`${scene.engine.url}/#/${hash}`)
        await signIn(page, "admin", PASSWORD)
        await run({ scene, page, watch, shoot })
      } finally {
        await shoot("last")
        await context.close()
      }
    })
}
