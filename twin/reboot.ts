/**
 * Restarts of a device. Its uptime tells (both sources may), so may a coldStart trap or a syslog line: one restart is one
 * event, whoever tells it first.
 */
import type { RouterState, Turn } from "#twin/router.ts"
import { deviceHappening } from "#twin/happening.ts"
import type { Evidence } from "#twin/happening.ts"

/** Two tellings of a start within this time speak of the same start: agents come up after their kernel. */
export const SAME_BOOT_MS = 120_000

/** The device started at about `bootMs`. */
export const rebooted = (state: RouterState, bootMs: number, evidence: Evidence): Turn => {
  if (state.bootMs !== null && Math.abs(bootMs - state.bootMs) <= SAME_BOOT_MS) return { state, events: [] }
  const what = { type: "device.rebooted", severity: "warning", old: null, new: null } as const
  return { state: { ...state, bootMs }, events: [deviceHappening(state, evidence, what)] }
}
