/** Starts the page: choices, address, fonts (the map draws its letters from them), session and stream, then the screen. */
import "#client/trusted-types.ts"
import "#client/ui/fonts.css"
import "#client/ui/tokens.css"
import "#client/ui/app.css"
import "#client/ui/doors.css"
import "#client/ui/replay.css"
import "#client/ui/alerts.css"
import "#client/ui/rules.css"
import "#client/ui/maintenance.css"
import "#client/ui/incidents.css"
import "#client/ui/graph.css"
import "#client/ui/whatif/whatif.css"
import "#client/ui/topology/topology.css"
import { render } from "preact"
import { followAlerts } from "#client/state/alerts.ts"
import { start } from "#client/state/app.ts"
import { followIncidents } from "#client/state/incidents.ts"
import { followInvitation } from "#client/state/invitation.ts"
import { followReplay } from "#client/state/replay.ts"
import { followAddressBar } from "#client/state/route.ts"
import { loadSettings } from "#client/state/settings.ts"
import { installTestHook } from "#client/state/test-hook.ts"
import { App } from "#client/ui/app.tsx"
import { followCutText } from "#client/ui/full-text.ts"

/** Ă pulls the Latin-extended file, so that all of a map's letters are there when it draws. */
const FONTS = ['400 12px "Inter Variable"', '600 12px "Inter Variable"', '400 12px "JetBrains Mono"'] as const

loadSettings()
followInvitation()
followAddressBar()
installTestHook()
await Promise.all(FONTS.map((font) => document.fonts.load(font, "AaĂă").catch(() => [])))
await start()
followReplay()
followAlerts()
followIncidents()
followCutText()
render(<App />, document.getElementById("app") as HTMLElement)
