/**
 * The thread of one replay: its own read-only door to the tenant's rows, a player, and the stream's own hub, so that its
 * frames are made by the same code as live ones. It sees one tenant (row security), knows no other role than the app's,
 * and a defect in here ends this replay and nothing else.
 */
import { parentPort, workerData } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { branched } from "#engine/replay/branching.ts"
import { inWords } from "#engine/replay/in-words.ts"
import { silentLog } from "#engine/log.ts"
import { makeMetrics } from "#engine/metrics/registry.ts"
import { openPlayer, type Player } from "#engine/replay/player.ts"
import type { FromWorker, ToWorker, WorkerStart } from "#engine/replay/session-messages.ts"
import { storedSource } from "#engine/replay/source.ts"
import { openDb } from "#engine/storage/db.ts"
import { readOnlyUrl } from "#engine/storage/read-only-url.ts"
import { makeHub, type Hub, type Viewer } from "#engine/stream/hub.ts"
import { LIMITS } from "#engine/stream/limits.ts"
import { makeStreamStats } from "#engine/stream/stats.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { siteView } from "#engine/tenant/site-view.ts"
import { Impossible } from "#engine/whatif/question.ts"
import type { EventView } from "#protocol/view.ts"

/** Between two looks at the clock while playing. */
const TICK_MS = 100

type Answer = Extract<FromWorker, { kind: "done" }>["answer"]

interface Seat {
  readonly hub: Hub
  readonly viewer: Viewer
  /** Bytes on their way to the viewer. */
  waiting: number
}

const serve = (player: Player, say: (message: FromWorker) => void, close: () => void) => {
  const hubs = new Map<string, Hub>()
  const seats = new Map<number, Seat>()
  const stats = makeStreamStats(makeMetrics())
  const monotonicMs = (): number => performance.now()
  const nowMs = (): number => player.standing().atMs

  const hubOf = (asked: readonly string[] | null): Hub => {
    const key = asked === null ? "" : JSON.stringify(asked.toSorted())
    let hub = hubs.get(key)
    if (hub === undefined) {
      const seen = asked === null ? player.twin : siteView(player.twin, asked, "bothEnds")
      hub = makeHub(seen, { limits: LIMITS, stats, log: silentLog, nowMs, monotonicMs })
      hubs.set(key, hub)
    }
    return hub
  }
  /** One flush is on its way at most: what comes meanwhile is one coalesced difference later. */
  const join = ({ viewer: id, sites: seen, resume }: Extract<ToWorker, { kind: "join" }>): void => {
    const viewer: Viewer = {
      ready: () => seat.waiting === 0,
      send: (bytes) => {
        seat.waiting += bytes.length
        // The hub keeps keyframes and shares frames between viewers: what is moved away must be a copy.
        say({ kind: "frame", viewer: id, bytes: Uint8Array.from(bytes) })
      },
    }
    const seat: Seat = { hub: hubOf(seen), viewer, waiting: 0 }
    seats.set(id, seat)
    seat.hub.join(viewer, seen === null ? resume : null)
  }
  const done = async (id: number, does: () => Promise<Answer>): Promise<void> => {
    let problem: string | null = null
    let answer: Answer = null
    try {
      answer = await does()
    } catch (error) {
      problem = error instanceof Impossible ? error.message : inWords(error)
    }
    say({ kind: "done", id, standing: player.standing(), answer, problem })
  }
  const leave = (id: number): void => {
    const seat = seats.get(id)
    seats.delete(id)
    seat?.hub.leave(seat.viewer)
  }
  return (message: ToWorker): void => {
    switch (message.kind) {
      case "steer":
        return void done(message.id, async () => {
          await player.steer(message.steer)
          return null
        })
      case "ask":
        return void done(message.id, () => branched(player, message.ask))
      case "join":
        return join(message)
      case "leave":
        return leave(message.viewer)
      case "focus": {
        const seat = seats.get(message.viewer)
        return seat?.hub.focus(seat.viewer, message.focus)
      }
      case "taken": {
        const seat = seats.get(message.viewer)
        if (seat !== undefined) seat.waiting = Math.max(0, seat.waiting - message.bytes)
        return
      }
      case "close":
        return close()
    }
  }
}

/** One `advance` at a time; what stands is told after each that played. */
const beat = (player: Player, say: (message: FromWorker) => void): void => {
  let lastMs = performance.now()
  let wasPlaying = false
  let working = false
  setInterval(() => {
    const nowMs = performance.now()
    const elapsedMs = nowMs - lastMs
    if (working) return
    lastMs = nowMs
    const { playing } = player.standing()
    if (!playing && !wasPlaying) return
    // The first beat after a pause must not make up for the pause.
    const playedMs = wasPlaying ? elapsedMs : 0
    wasPlaying = playing
    working = true
    void player.advance(playedMs).finally(() => {
      working = false
      say({ kind: "standing", standing: player.standing() })
    })
  }, TICK_MS)
}

const main = async (): Promise<void> => {
  const port = parentPort
  if (port === null) throw new Error("engine/replay/worker.ts runs as a worker of the engine only")
  const start = workerData as WorkerStart
  const say = (message: FromWorker): void =>
    port.postMessage(message, message.kind === "frame" ? [message.bytes.buffer as ArrayBuffer] : [])
  const url = readOnlyUrl(start.appUrl)
  // There is no engine role in here: whatever would ask for it is the app role, which sees one tenant.
  const connections = { tenantConnections: 2, ingestConnections: 1, engineConnections: 1 }
  const opened = openDb({ appUrl: url, engineUrl: url, ...connections })
  const scope = Scope.makeUnsafe()
  const db = await Effect.runPromise(Scope.provide(opened, scope))
  const { tenant, fromMs, toMs, speed, epochBase, sites } = start
  let own: LiveTwin | null = null
  const isSeen = ({ subject }: EventView): boolean => {
    if (sites === null) return true
    const { devices, links } = (own ??= siteView(player.twin, sites, "bothEnds")).inventory()
    return devices.some(({ id }) => id === subject) || links.some(({ id }) => id === subject)
  }
  const source = storedSource(db, tenant.id)
  const monotonicMs = (): number => performance.now()
  const player = await openPlayer({ source, tenant, fromMs, toMs, speed, epochBase, isSeen, monotonicMs })
  const close = (): void =>
    void player
      .close()
      .then(() => Effect.runPromise(Scope.close(scope, Exit.void)))
      .finally(() => process.exit(0))
  port.on("message", serve(player, say, close))
  beat(player, say)
  say({ kind: "opened", standing: player.standing() })
}

main().catch((error: unknown) => {
  parentPort?.postMessage({ kind: "impossible", problem: inWords(error) } satisfies FromWorker, [])
  parentPort?.close()
  process.exit(0)
})
