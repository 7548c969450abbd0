/**
 * The whole of it, as a person meets it: emulated routers on real sockets, the real engine, its own database, the page
 * in a real browser. The steps are the client's own scenario; here a cut is a cut in the network.
 */
import assert from "node:assert/strict"
import { resolve } from "node:path"
import { after, before, test } from "node:test"
import type { Browser } from "playwright-core"
import { ENABLE, hasChromium, launch } from "#client/e2e/browser.ts"
import { runScenario } from "#client/e2e/scenario.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { PASSWORD } from "#lab/drive/engine.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"

const skip = hasChromium() ? NO_POSTGRES : `no Chromium; ${ENABLE}`
const PICTURES = resolve(import.meta.dirname, "../../out/e2e/spine")
let browser: Browser

before(async () => {
  if (skip === false) browser = await launch()
})
after(async () => browser?.close())

test("[U1] [U2] [X1] the spine in a browser, from the emulated wire to the pixel", { skip }, async (t) => {
  await withScene({ routers: 24, seed: 1, pollSeconds: 2, push: true }, async (scene) => {
    const link = await coreLink(scene)
    await runScenario(t, {
      browser,
      baseUrl: scene.engine.url,
      user: "admin",
      password: PASSWORD,
      cut: async () => void (await scene.lab.fault("cut", link.a, link.b)),
      mend: async () => void (await scene.lab.fault("mend", link.a, link.b)),
      pictures: PICTURES,
    })
  })
})

/** One whose loss isolates nobody: the picture then shows one broken link and no silent router. */
const coreLink = async (scene: Scene): Promise<{ readonly a: string; readonly b: string }> => {
  const { routers, links } = await scene.lab.truth()
  const core = new Set(routers.filter(({ roles }) => roles.includes("core")).map(({ name }) => name))
  const link = links.find(({ a, b }) => core.has(a) && core.has(b))
  assert.ok(link !== undefined, "the emulated ISP has a core")
  return link
}
