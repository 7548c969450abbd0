/**
 * The noisy neighbour (PRODUCT.md T6): two tenants in one engine, each with an emulated ISP. A then goes to ten times its
 * quotas: polled samples, syslog and API requests at once, all over real sockets. Measured is B, which does nothing unusual:
 * the age of its evidence when its frame arrives, and how long a cut link takes to show, before and meanwhile.
 */
import { once } from "node:events"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import type { Case, Parameters } from "#bench/case.ts"
import type { Flooded, FloodOptions } from "#bench/neighbour/flood.ts"
import { quantile, round } from "#bench/statistics.ts"
import { choosePorts, startEngine, temporaryDataDir, type Engine } from "#lab/drive/engine.ts"
import { startLab, type Lab } from "#lab/drive/lab.ts"
import { onboard, personOf, type Person } from "#lab/drive/onboard.ts"
import { allSeen, withPollSeconds } from "#lab/drive/scene.ts"
import { openViewer, type Viewer } from "#lab/drive/viewer.ts"

/** How far over its quotas A goes. */
const TIMES = 10
/** A's quotas, so that ten times of each fits on the machine that measures: lines/s, events/s, requests/min. */
const QUOTAS = { max_syslog_msgs_per_s: 500, max_events_per_s: 200, max_api_requests_per_min: 600 }

export const neighbour: Case = {
  name: "neighbour",
  about: "B's evidence to frame and cut to frame, ms, with and without A at 10x its quotas",
  tier: "emulator (ours)",
  full: { routers: 60, seconds: 60, cuts: 8, pollSeconds: 2, seed: 1 },
  small: { routers: 12, seconds: 3, cuts: 1, pollSeconds: 1, seed: 1 },
  run: async (parameters, report) => withNeighbours(parameters, (scene) => measure(scene, parameters, report)),
}

interface Neighbours {
  readonly engine: Engine
  readonly platform: Person
  readonly a: Person
  readonly labA: Lab
  readonly labB: Lab
  readonly viewer: Viewer
}

const measure = async (scene: Neighbours, parameters: Parameters, report: (line: string) => void) => {
  const { seconds = 3, cuts = 1 } = parameters
  const quiet = await watch(scene, seconds, cuts)
  report(`quiet: ${quiet.ages.length} frames`)
  const samplesPerS = await sampleRate(scene)
  const quota = { max_ingest_samples_per_s: Math.max(1, Math.round(samplesPerS / TIMES)) }
  await scene.platform.call("PUT", "/tenants/a/quotas", { ...QUOTAS, ...quota })
  report(`A: ${Math.round(samplesPerS)} samples/s at a quota of ${quota.max_ingest_samples_per_s}; flooding`)
  const flood = await startFlood(scene)
  const loud = await watch(scene, seconds, cuts)
  const sent = await flood.stop()
  const exceeded = await exceededOf(scene.a)
  report(`A sent ${sent.lines} lines and ${sent.requests} requests, ${sent.refused} of them refused`)
  const p99 = { quiet: quantile(quiet.ages, 0.99), loud: quantile(loud.ages, 0.99) }
  return {
    figures: {
      quiet_p50_ms: round(quantile(quiet.ages, 0.5)),
      quiet_p99_ms: round(p99.quiet),
      loud_p50_ms: round(quantile(loud.ages, 0.5)),
      loud_p99_ms: round(p99.loud),
      p99_ratio: round(p99.loud / Math.max(1, p99.quiet)),
      quiet_cut_worst_ms: round(Math.max(...quiet.cuts)),
      loud_cut_worst_ms: round(Math.max(...loud.cuts)),
      frames_quiet: quiet.ages.length,
      frames_loud: loud.ages.length,
      lines_per_s: round(sent.lines / sent.seconds),
      requests_per_min: round((sent.requests * 60) / sent.seconds),
      requests_refused: sent.refused,
      syslog_exceeded: exceeded["max_syslog_msgs_per_s"] ?? 0,
      samples_exceeded: exceeded["max_ingest_samples_per_s"] ?? 0,
      api_exceeded: exceeded["max_api_requests_per_min"] ?? 0,
    },
    outcome: [quiet.named, loud.named],
  }
}

/** B for a while: ages of its frames, and cuts of its links spread over the time. */
const watch = async ({ viewer, labB }: Neighbours, seconds: number, cuts: number) => {
  const from = viewer.deltaAgesMs().length
  const links = (await labB.truth()).links.flatMap(({ a, b }) => {
    const slot = viewer.linkSlot(a, b)
    return slot === undefined ? [] : [{ a, b, slot }]
  })
  const untilMs = performance.now() + seconds * 1_000
  const took: number[] = []
  const named: string[] = []
  for (let cut = 0; cut < cuts; cut++) {
    const link = links[(cut * 7) % links.length]
    if (link === undefined) throw new Error("the twin of B shows none of its links")
    await viewer.until(() => viewer.linkHealth(link.slot) === "ok", 30_000)
    const atMs = await labB.fault("cut", link.a, link.b)
    took.push((await viewer.until(() => viewer.linkHealth(link.slot) === "down", 30_000)) - atMs)
    await labB.fault("mend", link.a, link.b)
    named.push(`${link.a} ${link.b}`)
  }
  await sleep(Math.max(0, untilMs - performance.now()))
  return { ages: viewer.deltaAgesMs().slice(from), cuts: took, named }
}

const sampleRate = async ({ engine, platform }: Neighbours): Promise<number> => {
  const name = 'heliograph_samples_total{tenant="a"}'
  const read = async (): Promise<number> => (await engine.metrics(platform.cookie)).get(name) ?? 0
  const [startedMs, first] = [performance.now(), await read()]
  await sleep(2_000)
  return (((await read()) - first) * 1_000) / (performance.now() - startedMs)
}

/** Syslog from one of A's routers, and requests of A's administrator, both at TIMES their quota. */
const startFlood = async ({ engine, a, labA }: Neighbours) => {
  const [device] = (await labA.importDocument())["devices"] as ReadonlyArray<{ readonly address: string }>
  const workerData: FloodOptions = {
    url: engine.url,
    cookie: a.cookie,
    address: device?.address ?? "127.0.0.1",
    syslogPort: engine.syslogPort,
    linesPerS: QUOTAS.max_syslog_msgs_per_s * TIMES,
    requestsPerS: (QUOTAS.max_api_requests_per_min * TIMES) / 60,
  }
  const worker = new Worker(new URL("../neighbour/flood.ts", import.meta.url), { workerData })
  return {
    stop: async (): Promise<Flooded> => {
      worker.postMessage("stop", [])
      const [done] = (await once(worker, "message")) as [Flooded]
      await worker.terminate()
      return done
    },
  }
}

/** Asked again while its own flood is still being forgotten. */
const exceededOf = async (a: Person): Promise<Readonly<Record<string, number>>> => {
  for (let attempt = 0; ; attempt++) {
    const answer = await a.call("GET", "/quotas").catch((error: Error) => error)
    if (!(answer instanceof Error)) {
      const { items } = answer as { readonly items: ReadonlyArray<{ name: string; exceeded: number }> }
      return Object.fromEntries(items.map(({ name, exceeded }) => [name, exceeded]))
    }
    if (attempt > 130) throw answer
    await sleep(500)
  }
}

const withNeighbours = async <A>(parameters: Parameters, use: (scene: Neighbours) => Promise<A>): Promise<A> => {
  const { routers = 12, seed = 1, pollSeconds = 1 } = parameters
  const data = await temporaryDataDir()
  const ports = await choosePorts()
  const stops: Array<() => Promise<unknown>> = [data.remove]
  try {
    const lab = async (name: string, salt: number): Promise<Lab> => {
      const started = await startLab({
        routers,
        seed: seed + salt,
        trap: `127.0.0.1:${ports.trap}`,
        syslog: `127.0.0.1:${ports.syslog}`,
        stateFile: join(data.path, `lab-${name}.json`),
      })
      stops.unshift(started.stop)
      return started
    }
    const [labA, labB] = [await lab("a", 0), await lab("b", 1)]
    const engine = await startEngine({ dataDir: join(data.path, "engine"), ports })
    stops.unshift(() => engine.child.stop())
    const platform = personOf(engine.url, await engine.signIn())
    const a = await onboard(engine, platform, "a", "large")
    const b = await onboard(engine, platform, "b", "large")
    for (const [person, its] of [
      [a, labA],
      [b, labB],
    ] as const) {
      const document = withPollSeconds(await its.importDocument(), pollSeconds)
      await person.call("POST", "/imports", { document: JSON.stringify(document) })
    }
    const viewer = await openViewer(engine.url, b.cookie)
    stops.unshift(() => viewer.close())
    await viewer.until(() => allSeen(viewer), 60_000 + pollSeconds * 3_000)
    return await use({ engine, platform, a, labA, labB, viewer })
  } finally {
    for (const stop of stops) await stop()
  }
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
