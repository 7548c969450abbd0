/** Planted bugs of time: what a twin believes of a clock that somebody set while nobody ran. As in bugs.ts. */
import type { PlantedBug } from "#lab/sim/planted-bug.ts"
import { metricId } from "#protocol/metric.ts"
import { BEHAVIOURS } from "#twin/cells.ts"
import type { RouterMsg, RouterState } from "#twin/router.ts"

const UPTIME = metricId("device.uptime_seconds")

const ofPolls =
  (change: (state: RouterState, msg: RouterMsg) => readonly [RouterState, RouterMsg]) => (): typeof BEHAVIOURS => ({
    ...BEHAVIOURS,
    router: (state, msg) =>
      msg.kind === "input" && msg.input.kind === "poll"
        ? BEHAVIOURS.router(...change(state, msg))
        : BEHAVIOURS.router(state, msg),
  })

export const CLOCK_BUGS: readonly PlantedBug[] = [
  {
    name: "rates-by-our-clock",
    about: "the time between two polls is our clock's, whatever the device's own uptime says",
    // An uptime that runs with our clock, but where it went back.
    steps: ofPolls((state, msg) => [
      {
        ...state,
        sources: state.sources.map((source) => {
          if (msg.kind !== "input" || msg.input.kind !== "poll" || msg.input.source !== source.source) return source
          const uptime = msg.input.value[msg.input.metric.indexOf(UPTIME)]
          if (uptime === undefined || source.lastOkMs === null || uptime < (source.uptimeSeconds ?? 0)) return source
          return { ...source, uptimeSeconds: Math.max(0, uptime - (msg.input.atMs - source.lastOkMs) / 1_000) }
        }),
      },
      msg,
    ]),
  },
  {
    name: "pause-taken-for-time",
    about: "time that nobody saw counts: a young router is one that restarted when the clock was set forward",
    steps: ofPolls((state, msg) => [state, { ...msg, unseenMs: 0 } as RouterMsg]),
  },
]
