/** A headless Chromium with a profile of its own, drawing WebGL2 on software; null where there is no Chromium. */
import { existsSync } from "node:fs"
import { chromium } from "playwright-core"
import type { Browser } from "playwright-core"

export const CHROMIUM = process.env["E2E_CHROMIUM"] ?? "/usr/bin/chromium"
export const ENABLE = "enable: apt-get install chromium"
export const hasChromium = (): boolean => existsSync(CHROMIUM)

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--ignore-gpu-blocklist",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--font-render-hinting=none",
      "--force-color-profile=srgb",
    ],
  })
