/**
 * /stream: who may upgrade, and the register of open sessions. Origin, cookie, tenant and quota are checked on the
 * plain HTTP request, so that a stranger never gets a WebSocket and not one of its frames is parsed.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { WebSocketServer } from "ws"
import { fits, type Doors } from "#engine/access/doors.ts"
import { FILES, REPLAY_STREAM } from "#engine/access/entries.ts"
import { refusedBy } from "#engine/access/policy.ts"
import type { Presented, Principal } from "#engine/access/principal.ts"
import type { Twins } from "#engine/api/ports.ts"
import { PROBLEMS, rawProblem } from "#engine/http/answer.ts"
import type { Problem } from "#engine/http/answer.ts"
import { presentedBy } from "#engine/http/cookie.ts"
import { isForeign, isHttps } from "#engine/http/origin.ts"
import type { Log } from "#engine/log.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import type { Replays } from "#engine/replay/replays.ts"
import { makeHub } from "#engine/stream/hub.ts"
import type { Hub } from "#engine/stream/hub.ts"
import { LIMITS } from "#engine/stream/limits.ts"
import type { StreamLimits } from "#engine/stream/limits.ts"
import { FREE, openSession, type Pace } from "#engine/stream/session.ts"
import type { StreamSession } from "#engine/stream/session.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import type { TenantId } from "#protocol/id.ts"

export interface StreamOptions {
  readonly doors: Doors
  readonly twins: Twins
  readonly metrics: MetricsRegistry
  readonly log: Log
  readonly publicUrl: string | null
  readonly tls?: boolean
  /** Per tenant. */
  readonly viewersMax: number
  /** Absent = nothing but viewersMax is limited. */
  readonly quotas?: Quotas
  /** What `?replay=ID` may name; absent = nothing. */
  readonly replays?: Pick<Replays, "hub" | "onEnd">
  readonly nowMs: () => number
  readonly limits?: Partial<StreamLimits>
}

export interface Stream {
  /** For HttpOptions.stream. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  readonly end: () => void
  /** Follows a tenant from now on, so that a viewer that comes back can resume. Idempotent. */
  readonly attach: (twin: LiveTwin) => void
  /** Ends a tenant's streams, when its twin is closed for good. */
  readonly detach: (twin: LiveTwin) => void
  readonly sessions: () => number
  /** Streams ended because their viewer did not drain or was silent, since the start. */
  readonly dropped: () => number
}

/** Everything ends with the scope. */
export const makeStream = (options: StreamOptions): Effect.Effect<Stream, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => startStream(options)),
    (stream) => Effect.sync(stream.stop),
  )

/** A session with the credential that opened it, for looking it up again. */
interface Open {
  readonly session: StreamSession
  readonly presented: Presented
  /** The whole tenant's, also of a session that sees some sites only. */
  readonly twin: LiveTwin
  readonly hub: Hub
  /** Its id, where a replay is shown. */
  readonly replay: string | null
  recheckMs: number
}

const startStream = (options: StreamOptions): Stream & { readonly stop: () => void } => {
  const limits: StreamLimits = { ...LIMITS, ...options.limits }
  const { nowMs, log, metrics } = options
  const monotonicMs = (): number => performance.now()
  const stats = makeStreamStats(metrics)
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.clientBytesMax,
    perMessageDeflate: false,
  })
  const https = isHttps(options)
  /** Of each tenant: the whole, and one for every set of sites that somebody looks at now. */
  const hubs = new Map<LiveTwin, Map<string, Hub>>()
  const open = new Set<Open>()
  let upgrading = 0
  let stopped = false

  metrics.gauge("heliograph_stream_sessions", "Live streams open, by tenant.", () =>
    [...hubs.keys()].map((twin) => ({ labels: { tenant: twin.tenant.slug }, value: countOf(twin) })),
  )

  const countOf = (twin: LiveTwin): number => {
    let count = 0
    for (const one of open) if (one.twin === twin) count += 1
    return count
  }

  const attach = (twin: LiveTwin, sites: readonly string[] | null = null): Hub => {
    const ofTwin = hubs.get(twin) ?? new Map<string, Hub>()
    if (!hubs.has(twin)) options.quotas?.gauge(twin.tenant.id, "max_ws_clients", () => countOf(twin))
    hubs.set(twin, ofTwin)
    const known = ofTwin.get(sitesKey(sites))
    if (known !== undefined) return known
    const seen = sites === null ? twin : siteView(twin, sites, "bothEnds")
    const hub = makeHub(seen, { limits, stats, log, nowMs, monotonicMs })
    // Views of other sites have the same epochs and other slots: nobody goes on from an earlier place in one.
    const own: Hub = sites === null ? hub : { ...hub, join: (viewer) => hub.join(viewer, null) }
    ofTwin.set(sitesKey(sites), own)
    return own
  }

  /** The whole's hub stays for whoever comes back; one of some sites ends with its last viewer. */
  const release = ({ twin, hub, session, replay }: Open): void => {
    const { sites } = session.who
    if (sites === null || replay !== null || [...open].some((one) => one.hub === hub)) return
    hub.close()
    hubs.get(twin)?.delete(sitesKey(sites))
  }

  const refuse = (socket: Duplex, problem: Problem): void => {
    stats.refused.add(1, { reason: problem.type.slice(problem.type.lastIndexOf(":") + 1) })
    socket.end(rawProblem(problem))
  }

  /** The session of a request, or why there is none. */
  const authenticate = async (
    request: IncomingMessage,
  ): Promise<{ who: Principal; presented: Presented; replay: string | null } | Problem> => {
    if (isForeign(request, options.publicUrl)) return PROBLEMS.foreignOrigin
    const presented = presentedBy(request, https)
    if (presented === null) return PROBLEMS.notSignedIn
    const who = await Effect.runPromise(lookUp(options.doors, presented, limits.upgradeMsMax))
    if (who === "unavailable") return PROBLEMS.unavailable
    if (who === null || who.credential.expiresAtMs <= nowMs()) return PROBLEMS.notSignedIn
    const replay = replayOf(request)
    const refused = refusalOf(who, replay)
    return refused === null ? { who, presented, replay } : { ...PROBLEMS.forbidden, detail: refused }
  }

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const found = await authenticate(request)
    if (socket.destroyed) return
    if ("type" in found) return refuse(socket, found)
    const twin = options.twins.byTenant(found.who.tenant)
    if (twin === null || stopped) return refuse(socket, PROBLEMS.unavailable)
    const { id } = twin.tenant
    const { who, presented, replay } = found
    const replayed = replay === null ? null : (options.replays?.hub(id, replay, who.sites) ?? null)
    if (replay !== null && replayed === null) return refuse(socket, PROBLEMS.notFound)
    const overQuota = options.quotas?.refusal(id, "max_ws_clients", countOf(twin) + 1) ?? null
    if (overQuota !== null || countOf(twin) >= options.viewersMax) return refuse(socket, PROBLEMS.tooManyViewers)
    // ws upgrades synchronously, so a burst cannot pass the quota together.
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const hub = replayed ?? attach(twin, who.sites)
      const closed = (): void => {
        open.delete(one)
        release(one)
      }
      const pace = options.quotas === undefined ? FREE : paceOf(options.quotas, id)
      const mode = replay === null ? "live" : "replay"
      const session = openSession(webSocket, { hub, who, limits, stats, mode, pace, nowMs, monotonicMs, closed })
      const one: Open = { session, presented, twin, hub, replay, recheckMs: monotonicMs() }
      open.add(one)
    })
  }

  const stopListening = options.doors.onForget((which) => {
    for (const one of open) if (fits(which, one.session.who)) recheck(one)
  })
  options.replays?.onEnd((id) => {
    for (const one of open) if (one.replay === id) one.session.end()
  })
  const recheck = (one: Open): void => {
    void Effect.runPromise(lookUp(options.doors, one.presented, limits.upgradeMsMax)).then((who) => {
      if (who === "unavailable") return undefined
      if (who === null || refusalOf(who, one.replay) !== null) one.session.signOut()
      // Other sites, or a grant that began or ended: whoever comes back gets what they may see now.
      else if (sitesKey(who.sites) !== sitesKey(one.session.who.sites) || who.tenant !== one.session.who.tenant)
        one.session.end()
      return undefined
    })
  }

  const sweep = setInterval(() => {
    const now = monotonicMs()
    for (const one of open) {
      one.session.sweep()
      if (now - one.recheckMs < limits.recheckEveryMs) continue
      one.recheckMs = now
      recheck(one)
    }
  }, limits.sweepMs).unref()

  return {
    upgrade: (request, socket, head) => {
      if (stopped || upgrading >= limits.upgradesMax) return refuse(socket, PROBLEMS.unavailable)
      upgrading += 1
      upgrade(request, socket, head)
        .catch((cause: unknown) => {
          log.error("an upgrade hit a defect", { cause })
          socket.destroy()
        })
        .finally(() => (upgrading -= 1))
    },
    attach: (twin) => void attach(twin),
    detach: (twin) => {
      const ofTwin = hubs.get(twin)
      hubs.delete(twin)
      for (const one of open) if (one.twin === twin) one.session.end()
      for (const hub of ofTwin?.values() ?? []) hub.close()
    },
    sessions: () => open.size,
    dropped: () => stats.closed.value({ reason: "slow" }) + stats.closed.value({ reason: "silent" }),
    end: () => {
      stopped = true
      for (const one of open) one.session.end()
    },
    stop: () => {
      stopped = true
      stopListening()
      clearInterval(sweep)
      for (const one of open) one.session.end()
      for (const ofTwin of hubs.values()) for (const hub of ofTwin.values()) hub.close()
      hubs.clear()
    },
  }
}

/** `?replay=ID`; null = the live twin is asked for. */
const replayOf = (request: IncomingMessage): string | null => {
  const query = request.url?.split("?", 2)[1]
  return query === undefined ? null : new URLSearchParams(query).get("replay")
}

const refusalOf = (who: Principal, replay: string | null): string | null =>
  refusedBy(FILES["/stream"], who) ?? (replay === null ? null : refusedBy(REPLAY_STREAM, who))

/** `max_ws_delta_bytes_per_s`: over it a viewer keeps its place, and later gets one coalesced difference. */
const paceOf = (quotas: Quotas, tenant: TenantId): Pace => ({
  mayGo: () => {
    if (quotas.waitMs(tenant, "max_ws_delta_bytes_per_s") === 0) return true
    quotas.exceeded(tenant, "max_ws_delta_bytes_per_s")
    return false
  },
  went: (bytes) => void quotas.take(tenant, "max_ws_delta_bytes_per_s", bytes),
})

/** Equal for equal sites, in whatever order. */
const sitesKey = (sites: readonly string[] | null): string =>
  sites === null ? "" : JSON.stringify([...new Set(sites)].toSorted())

const lookUp = (
  doors: Doors,
  presented: Presented,
  withinMs: number,
): Effect.Effect<Principal | null | "unavailable"> =>
  doors.admit(presented).pipe(
    Effect.catchTag("Unavailable", () => Effect.succeed("unavailable" as const)),
    Effect.timeoutOrElse({ duration: withinMs, orElse: () => Effect.succeed("unavailable" as const) }),
  )
