/**
 * A drill: engine, lab and viewer under load, while something is done to them that must not cost anything. Load is polls,
 * traps and syslog of links that flap by a seeded die, and informs, whose answers are the engine's promises. Remembers all
 * that was told through every life of the engine, so that it can be held against the journal afterwards.
 */
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startInforms, type Informed, type Informs } from "#lab/drive/informs.ts"
import { startLab, type Lab } from "#lab/drive/lab.ts"
import { allSeen, withPollSeconds } from "#lab/drive/scene.ts"
import { dice } from "#lab/isp/random.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"
import type { EventView } from "#protocol/view.ts"

export interface DrillOptions {
  readonly routers: number
  readonly pollSeconds: number
  readonly informsPerSecond: number
  readonly seed: number
  /** Between two snapshots, and so between two marks. */
  readonly snapshotSeconds: number
  /** Between two cuts or mends of links; default: a storm, FLAP_EVERY_MS. */
  readonly flapMs?: number
}

export interface Drill {
  readonly dataDir: string
  readonly lab: Lab
  readonly informs: Informs
  /** [0, 1), seeded. */
  readonly dice: () => number
  /** When the load began; a snapshot of before exists. */
  readonly loadFromMs: number
  readonly engine: () => Engine
  readonly viewer: () => Viewer
  readonly cookie: () => string
  /** Ends the engine by the signal, starts it on the same data; resolves when it is healthy and viewed again. */
  readonly restartEngine: (signal: NodeJS.Signals) => Promise<void>
  /** Resolves when a request that needs the database is served. */
  readonly databaseAnswers: (timeoutMs: number) => Promise<void>
  /** Ends the load, waits until all of it is answered and told; gives the record of the informs. */
  readonly settle: () => Promise<readonly Informed[]>
  /** An orderly end of the engine. */
  readonly stop: () => Promise<void>
  /** All events that viewers were told since the load began, over all lives. */
  readonly toldEvents: () => readonly EventView[]
  /** The engine's own list of events since the load began; after `settle`. */
  readonly storedEvents: () => readonly EventView[]
  /** Lines of the engine's logs, over all lives, that match. */
  readonly logged: (pattern: RegExp) => number
}

const FLAP_EVERY_MS = 400
/** After the load: the last rounds are told and the last events stored. */
const QUIET_MS = 3_000

export const withDrill = async <A>(options: DrillOptions, use: (drill: Drill) => Promise<A>): Promise<A> => {
  const data = await temporaryDataDir()
  const ports = await choosePorts()
  const dataDir = join(data.path, "engine")
  const closing: Array<() => unknown> = []
  try {
    const lab = await startLab({
      routers: options.routers,
      seed: options.seed,
      trap: `127.0.0.1:${ports.trap}`,
      syslog: `127.0.0.1:${ports.syslog}`,
      stateFile: join(data.path, "lab.json"),
    })
    closing.push(lab.stop)
    const env = {
      HELIOGRAPH_POLL_SECONDS: String(options.pollSeconds),
      HELIOGRAPH_SNAPSHOT_SECONDS: String(options.snapshotSeconds),
    }
    let life = await live(() => startEngine({ dataDir, ports, env }))
    closing.push(() => life.engine.child.stop())
    const document = withPollSeconds(await lab.importDocument(), options.pollSeconds)
    await life.engine.importDocument(document)
    await life.viewer.until(() => allSeen(life.viewer), 60_000 + options.pollSeconds * 3_000)
    await snapshotSaved(life)
    const loadFromMs = Date.now()
    const { next: chance } = dice(options.seed, "drill")
    const flapping = flap(lab, chance, options.flapMs ?? FLAP_EVERY_MS)
    closing.push(flapping.stop)
    const informs = await startInforms(document, ports.trap, options.informsPerSecond)
    closing.push(informs.close)

    const told: EventView[] = []
    const logs: string[] = []
    let stored: readonly EventView[] = []
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      await life.engine.child.stop(signal)
      told.push(...life.viewer.told())
      logs.push(...life.engine.child.lines, ...life.engine.child.errors)
    }
    return await use({
      dataDir,
      lab,
      informs,
      dice: chance,
      loadFromMs,
      engine: () => life.engine,
      viewer: () => life.viewer,
      cookie: () => life.cookie,
      restartEngine: async (signal) => {
        await end(signal)
        life = await live(() => startEngine({ dataDir, ports, env }))
      },
      databaseAnswers: (timeoutMs) => answers(life, timeoutMs),
      settle: async () => {
        await flapping.stop()
        await informs.finish(60_000)
        await new Promise((wake) => setTimeout(wake, QUIET_MS))
        stored = await eventsSince(life, loadFromMs)
        return informs.all()
      },
      stop: () => end("SIGTERM"),
      toldEvents: () => told.filter(({ atMs }) => atMs >= loadFromMs),
      storedEvents: () => stored,
      logged: (pattern) => logs.filter((line) => pattern.test(line)).length,
    })
  } finally {
    for (const close of closing.toReversed()) await close()
    await data.remove()
  }
}

interface Life {
  readonly engine: Engine
  readonly cookie: string
  readonly viewer: Viewer
}

const live = async (start: () => Promise<Engine>): Promise<Life> => {
  const engine = await start()
  const cookie = await engine.signIn()
  return { engine, cookie, viewer: await openViewer(engine.url, cookie) }
}

const snapshotSaved = async ({ engine, cookie }: Life): Promise<void> => {
  for (const untilMs = Date.now() + 60_000; Date.now() < untilMs;) {
    for (const [name, value] of await engine.metrics(cookie))
      if (name.startsWith("heliograph_snapshot_bytes") && value > 0) return
    await new Promise((wake) => setTimeout(wake, 200))
  }
  throw new Error("no snapshot was saved within a minute")
}

/** Cuts and mends links, some broken at any time, until it is stopped. */
const flap = (lab: Lab, dice: () => number, everyMs: number): { readonly stop: () => Promise<void> } => {
  const stopping = new AbortController()
  const run = async (): Promise<void> => {
    const { links } = await lab.truth()
    const cut: number[] = []
    while (!stopping.signal.aborted) {
      if (cut.length > 4 || (cut.length > 0 && dice() < 0.5)) {
        const { a, b } = links[cut.shift() as number] as { a: string; b: string }
        await lab.fault("mend", a, b)
      } else {
        const at = Math.floor(dice() * links.length)
        if (cut.includes(at)) continue
        const { a, b } = links[at] as { a: string; b: string }
        await lab.fault("cut", a, b)
        cut.push(at)
      }
      await pause(everyMs, stopping.signal)
    }
  }
  const running = run()
  return {
    stop: () => {
      stopping.abort()
      return running
    },
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)

const answers = async ({ engine, cookie }: Life, timeoutMs: number): Promise<void> => {
  for (const untilMs = Date.now() + timeoutMs; ;) {
    const asked = fetch(new URL("/api/v1/events?limit=1", engine.url), { headers: { cookie } })
    const ok = await asked.then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    if (Date.now() > untilMs) throw new Error(`the database did not come back within ${timeoutMs} ms`)
    await new Promise((wake) => setTimeout(wake, 100))
  }
}

interface EventsPage {
  readonly items: readonly EventView[]
  readonly next?: string | null
}

const eventsSince = async ({ engine, cookie }: Life, fromMs: number): Promise<readonly EventView[]> => {
  const all: EventView[] = []
  for (let cursor: string | null = null; ;) {
    const query = new URLSearchParams({ limit: "500", from: String(fromMs), ...(cursor === null ? {} : { cursor }) })
    const page = (await engine.json(`/api/v1/events?${query}`, cookie)) as EventsPage
    all.push(...page.items)
    cursor = page.next ?? null
    if (cursor === null) return all
  }
}
