/**
 * From a fault in the network to the frame that tells people: the lab cuts a link or kills a router, a real WebSocket client
 * waits for the alert of the shipped rule, and for the incident. By each path that evidence takes: trap and syslog, the
 * RouterOS API's `listen`, and polls alone; beside the budget of PRODUCT.md (Detection budget). A dead emulated router still
 * answers pings, because the kernel answers for every loopback address: what pings find is measured on real routers (frr).
 */
import type { Case, Parameters } from "#bench/case.ts"
import { quantile, round } from "#bench/statistics.ts"
import { withScene, type Scene, type SceneOptions } from "#lab/drive/scene.ts"
import type { EventView } from "#protocol/view.ts"

interface Path {
  readonly name: string
  readonly push: SceneOptions["push"]
  readonly fault: "cut" | "kill"
  readonly role: "core" | "access"
  /** Null = the incident only. */
  readonly rule: string | null
  /** Milliseconds at the 95th percentile; null = none is promised. */
  readonly budgetMs: number | null
}

const PATHS: readonly Path[] = [
  { name: "trap", push: true, fault: "cut", role: "core", rule: "interface-down", budgetMs: 1_000 },
  { name: "listen", push: "listen", fault: "cut", role: "core", rule: "interface-down", budgetMs: 1_000 },
  { name: "dead_core", push: true, fault: "kill", role: "core", rule: null, budgetMs: 5_000 },
  { name: "dead_access", push: true, fault: "kill", role: "access", rule: null, budgetMs: 15_000 },
  { name: "poll", push: false, fault: "cut", role: "core", rule: "interface-down", budgetMs: null },
]

export const alerts: Case = {
  name: "alerts",
  about: "ms from a fault to its alert and its incident on the stream, by trap, API listen, ping and poll",
  tier: "emulator (ours)",
  full: { routers: 120, faults: 10, pollSeconds: 10, paths: 5, seed: 1 },
  small: { routers: 12, faults: 1, pollSeconds: 1, paths: 2, seed: 1 },
  run: async (parameters, report) => {
    const figures: Record<string, number | null> = {}
    const outcome: unknown[] = []
    for (const path of PATHS.slice(0, parameters["paths"] ?? PATHS.length)) {
      const seen = await faultsBy(path, parameters, report)
      for (const [what, ms] of Object.entries({ alert: seen.alertMs, incident: seen.incidentMs })) {
        figures[`${path.name}_${what}_p50_ms`] = ms.length === 0 ? null : round(quantile(ms, 0.5))
        figures[`${path.name}_${what}_p95_ms`] = ms.length === 0 ? null : round(quantile(ms, 0.95))
      }
      figures[`${path.name}_budget_ms`] = path.budgetMs
      outcome.push(path.name, seen.elements)
    }
    return { figures, outcome }
  },
}

interface Seen {
  readonly alertMs: number[]
  readonly incidentMs: number[]
  readonly elements: string[]
}

const faultsBy = (path: Path, parameters: Parameters, report: (line: string) => void): Promise<Seen> => {
  const { routers, faults, pollSeconds, seed } = parameters as Record<
    "routers" | "faults" | "pollSeconds" | "seed",
    number
  >
  return withScene({ routers, seed, pollSeconds, push: path.push }, async (scene) => {
    const seen: Seen = { alertMs: [], incidentMs: [], elements: [] }
    const targets = await targetsOf(scene, path)
    // A rule that wants two readings of "up" before a fall must have had them.
    await settled(scene, pollSeconds)
    for (let i = 0; i < Math.min(faults, targets.length); i++) {
      const { args, devices } = targets[i] as Target
      await new Promise((wake) => setTimeout(wake, ((i * 0.618_034) % 1) * Math.min(pollSeconds, 2) * 1000))
      const from = scene.viewer.told().length
      const atMs = await scene.lab.fault(path.fault, ...args)
      const limitMs = pollSeconds * 6_000 + 60_000
      const { rule } = path
      const alertMs =
        rule === null
          ? null
          : (await scene.viewer.until(() => firing(scene, from, rule, devices) !== undefined, limitMs)) - atMs
      const incidentMs = await scene.viewer
        .until(() => opened(scene, from), path.fault === "kill" ? 60_000 : 20_000)
        .then(
          (ms) => ms - atMs,
          () => null,
        )
      if (alertMs !== null) seen.alertMs.push(alertMs)
      if (incidentMs !== null) seen.incidentMs.push(incidentMs)
      seen.elements.push(args.join(" "))
      report(
        `${path.name}: ${path.fault} ${args.join(" - ")}: alert ${alertMs ?? "-"} ms, incident ${incidentMs ?? "none"} ms`,
      )
      await scene.lab.fault(path.fault === "cut" ? "mend" : "revive", ...args)
      await scene.viewer.until(() => healthy(scene), pollSeconds * 6_000 + 120_000)
    }
    return seen
  })
}

interface Target {
  readonly args: readonly string[]
  /** Ids of the devices whose alert counts. */
  readonly devices: ReadonlySet<string>
}

/** What is broken, in the lab's order: links inside the core, or routers of the role that have neighbours to tell of them. */
const targetsOf = async ({ lab, viewer }: Scene, path: Path): Promise<readonly Target[]> => {
  const truth = await lab.truth()
  const { nodes } = viewer.state
  const idOf = new Map(nodes.name.map((name, slot) => [name, nodes.id[slot] as string]))
  const ids = (...names: readonly string[]): ReadonlySet<string> =>
    new Set(names.map((name) => idOf.get(name) as string))
  const having = new Set(truth.routers.filter(({ roles }) => roles.includes(path.role)).map(({ name }) => name))
  if (path.fault === "kill") return [...having].map((name) => ({ args: [name], devices: ids(name) }))
  const known = truth.links.filter(({ a, b }) => viewer.linkSlot(a, b) !== undefined)
  const heard = path.push === "listen" ? await withApi(lab) : null
  const inner = known.filter(
    ({ a, b }) => having.has(a) && having.has(b) && (heard === null || heard.has(a) || heard.has(b)),
  )
  return (inner.length > 0 ? inner : known).map(({ a, b }) => ({ args: [a, b], devices: ids(a, b) }))
}

/** Routers of other makes have no RouterOS API that could tell of a port: where both ends are such, a poll finds it. */
const withApi = async (lab: Scene["lab"]): Promise<ReadonlySet<string>> => {
  const { devices } = (await lab.importDocument()) as {
    readonly devices: ReadonlyArray<{ readonly name: string; readonly routeros?: unknown }>
  }
  return new Set(devices.flatMap(({ name, routeros }) => (routeros === undefined ? [] : [name])))
}

const settled = async ({ viewer }: Scene, pollSeconds: number): Promise<void> => {
  await viewer.until(() => viewer.nodes() > 0, 1_000)
  await new Promise((wake) => setTimeout(wake, pollSeconds * 2_500))
}

const firing = (scene: Scene, from: number, rule: string, devices: ReadonlySet<string>): EventView | undefined =>
  scene.viewer
    .told()
    .slice(from)
    .find(
      ({ type, old, subject }) =>
        (type === "alert.firing" || type === "alert.suppressed") && old === rule && devices.has(subject),
    )

const opened = (scene: Scene, from: number): boolean =>
  scene.viewer
    .told()
    .slice(from)
    .some(({ type }) => type === "incident.opened" || type === "incident.reopened")

const healthy = ({ viewer }: Scene): boolean => {
  for (let slot = 0; slot < viewer.nodes(); slot++) if (viewer.nodeHealth(slot) === "unreachable") return false
  for (let slot = 0; slot < viewer.state.links.id.length; slot++) if (viewer.linkHealth(slot) === "down") return false
  return true
}
