/**
 * Carries out what a tenant's twin asks of its network for the sake of an undecided incident (twin/incident/probing.ts). It
 * hears of a question when its input is durable, as of every effect, so that a replay and a restart ask nobody. A device is
 * read by its own collectors, in their own session, behind their breaker; pinged is only who is pinged anyway, within the
 * tenant's rate. What became of it is an input of the journal.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Entry } from "#engine/address-book.ts"
import type { QuickPing } from "#engine/incidents/quick-ping.ts"
import { PINGS } from "#engine/incidents/quick-ping.ts"
import type { Literal } from "#engine/probes/address.ts"
import { literal } from "#engine/probes/address.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import type { ProbeRequest, Refusal } from "#twin/incident/question.ts"
import type { ProbedInput } from "#twin/input.ts"

/** Pings under way at once for one tenant; each is a process for two seconds. */
export const PINGS_AT_ONCE = 8

export interface ProbingOptions {
  readonly twin: Pick<LiveTwin, "tenant" | "onRound" | "submit">
  /** Null = it is not (any longer) one that may be asked. */
  readonly entryOf: (device: ProbeRequest["device"]) => Entry | null
  readonly quotas: Pick<Quotas, "take">
  readonly ping: QuickPing
  readonly nowMs: () => number
}

export interface ProbingStats {
  asked: number
  answered: number
  silent: number
  refused: number
  /** Nobody waits for the answer any more: the journal was late. */
  late: number
}

/** For as long as the scope is open; pings that are under way then are stopped and told to nobody. */
export const answerProbes = (options: ProbingOptions): Effect.Effect<ProbingStats, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { twin, nowMs } = options
    const stats: ProbingStats = { asked: 0, answered: 0, silent: 0, refused: 0, late: 0 }
    const abort = new AbortController()
    let pinging = 0

    const tell = (request: ProbeRequest, startedMs: number, what: Pick<ProbedInput, "outcome" | "rttMs">): void => {
      const { incident, question, device, ask } = request
      const source = ask === "ping" ? "probe" : "snmp"
      const atMs = Math.max(startedMs, Math.floor(nowMs()))
      // One that a full inbox refuses is one that did not come: the twin gives it up by itself.
      twin.submit({ kind: "probed", atMs, incident, question, device, source, startedMs, ...what })
    }
    const refuse = (request: ProbeRequest, why: Refusal): void => {
      stats.refused++
      tell(request, Math.floor(nowMs()), { outcome: why, rttMs: null })
    }
    const ping = async (request: ProbeRequest, to: Literal): Promise<void> => {
      const startedMs = Math.floor(nowMs())
      pinging++
      const result = await options.ping(to, abort.signal).catch(() => null)
      pinging--
      if (abort.signal.aborted) return
      if (result === null) return refuse(request, "tool")
      stats[result.outcome]++
      tell(request, startedMs, { outcome: result.outcome, rttMs: result.outcome === "answered" ? result.rttMs : null })
    }
    const carryOut = (request: ProbeRequest): void => {
      if (request.untilMs <= nowMs()) return void stats.late++
      const entry = options.entryOf(request.device)
      if (entry === null || entry.tenant !== twin.tenant.id) return refuse(request, "forbidden")
      if (request.ask === "read") {
        // Its answer is the poll itself.
        if (!entry.readNow()) return refuse(request, "busy")
        return void stats.asked++
      }
      const to = literal(entry.target.address)
      if (to === null || (entry.target.ping ?? null) === null) return refuse(request, "forbidden")
      if (pinging >= PINGS_AT_ONCE) return refuse(request, "busy")
      if (!options.quotas.take(twin.tenant.id, "max_probe_pps", PINGS)) return refuse(request, "quota")
      stats.asked++
      void ping(request, to)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => twin.onRound(({ asks }) => asks?.forEach(carryOut))),
      (forget) =>
        Effect.sync(() => {
          forget()
          abort.abort()
        }),
    )
    return stats
  })
