/**
 * `npm run sim -- --real --seed N`: the lab knows the truth, and the twin must come to agree. A real engine watches a real
 * emulated ISP over sockets while seeded faults cut links and kill routers; after each one the stream must show what
 * the lab knows, within the stated time. The first disagreement ends the run and names the seed and the step.
 */
import type { LabTruth } from "#lab/drive/lab.ts"
import { withScene, type Scene } from "#lab/drive/scene.ts"
import type { Viewer } from "#lab/drive/viewer.ts"
import { dice } from "#lab/isp/random.ts"

const HELP = `usage: npm run sim -- --real [--seed N] [--routers N] [--steps N] [--poll-seconds N]

Runs seeded faults against a real engine and checks after each that the twin agrees with the lab.
`

const DEFAULTS = { seed: 1, routers: 24, steps: 20, "poll-seconds": 1 }
type Options = { -readonly [Key in keyof typeof DEFAULTS]: number }

export const runReal = async (args: readonly string[]): Promise<number> => {
  if (args.includes("--help")) return print(HELP, 0)
  const options = readOptions(args)
  if (typeof options === "string") return print(`${options}\n\n${HELP}`, 2)
  const { seed, routers, steps } = options
  const pollSeconds = options["poll-seconds"]
  console.log(`sim: seed ${seed}, ${routers} routers, ${steps} faults, polled every ${pollSeconds} s`)
  return withScene({ routers, seed, pollSeconds, push: true }, async (scene) => {
    const { next: chance } = dice(seed, "sim-real")
    const broken: Broken = { killed: [], cut: [] }
    for (let step = 1; step <= steps; step++) {
      const fault = await applyOne(scene, chance, broken)
      const disagreements = await agree(scene, pollSeconds)
      console.log(`  ${step}. ${fault}: ${disagreements.length === 0 ? "agrees" : "DISAGREES"}`)
      if (disagreements.length > 0) {
        return print(`seed ${seed}, step ${step}, ${fault}:\n${disagreements.map((line) => `  ${line}`).join("\n")}`, 1)
      }
    }
    console.log(JSON.stringify({ case: "sim-real", seed, routers, steps, agreed: steps }))
    return 0
  })
}

/** What the run has broken and not mended yet. */
interface Broken {
  readonly killed: string[]
  readonly cut: Array<{ readonly a: string; readonly b: string }>
}

/** Breaks something that is whole, or mends what is broken; half and half once something is broken. */
const applyOne = async (scene: Scene, dice: () => number, broken: Broken): Promise<string> => {
  const truth = await scene.lab.truth()
  const index = (length: number): number => Math.floor(dice() * length)
  const mend = dice() < 0.5
  if (mend && broken.killed.length > 0) {
    const [name] = broken.killed.splice(index(broken.killed.length), 1) as [string]
    await scene.lab.fault("revive", name)
    return `revive ${name}`
  }
  if (mend && broken.cut.length > 0) {
    const [{ a, b }] = broken.cut.splice(index(broken.cut.length), 1) as [{ a: string; b: string }]
    await scene.lab.fault("mend", a, b)
    return `mend ${a} ${b}`
  }
  const alive = truth.routers.filter((router) => router.alive)
  if (dice() < 0.25 && broken.killed.length < truth.routers.length / 4) {
    const { name } = alive[index(alive.length)] as { name: string }
    await scene.lab.fault("kill", name)
    broken.killed.push(name)
    return `kill ${name}`
  }
  const whole = truth.links.filter((link) => link.up)
  const { a, b } = whole[index(whole.length)] as { a: string; b: string }
  await scene.lab.fault("cut", a, b)
  broken.cut.push({ a, b })
  return `cut ${a} ${b}`
}

/** What still differs from the truth when the time is up; empty = the twin has come to agree. */
const agree = async (scene: Scene, pollSeconds: number): Promise<readonly string[]> => {
  // A dead router is believed dead after a failed poll (5 s deadline at most) and confirmed by the next one. The truth
  // itself moves: routing converges seconds after a fault, and routers come back into reach.
  const until = performance.now() + pollSeconds * 4000 + 20_000
  for (;;) {
    const differences = compare(await scene.lab.truth(), scene.viewer)
    if (differences.length === 0 || performance.now() > until) return differences
    const frames = scene.viewer.frames()
    await scene.viewer.until(() => scene.viewer.frames() > frames, 2_000).catch(() => undefined)
  }
}

const compare = (truth: LabTruth, viewer: Viewer): readonly string[] => {
  const answers = new Set(truth.routers.filter((router) => router.answers).map((router) => router.name))
  const links = truth.links.flatMap(({ a, b, up }) => {
    const slot = viewer.linkSlot(a, b)
    if (slot === undefined) return [`link ${a} - ${b} is not in the twin`]
    const health = viewer.linkHealth(slot)
    // Without an answer from both ends the twin must not claim that the link is whole; a far port that carrier
    // equipment keeps up is no proof, and a broken link may be seen from one end only.
    const both = answers.has(a) && answers.has(b)
    const agrees = both ? health === (up ? "ok" : "down") : health !== "ok"
    return agrees ? [] : [`link ${a} - ${b} is ${up ? "up" : "down"}, the twin says ${health}`]
  })
  const routers = viewer.state.nodes.name.flatMap((name, slot) => {
    const health = viewer.nodeHealth(slot)
    return answers.has(name) === (health !== "unreachable")
      ? []
      : [`router ${name} ${answers.has(name) ? "answers" : "does not answer"}, the twin says ${health}`]
  })
  return [...links, ...routers]
}

const readOptions = (args: readonly string[]): Options | string => {
  const options: Options = { ...DEFAULTS }
  for (let i = 0; i < args.length; i += 2) {
    const name = (args[i] ?? "").replace(/^--/, "")
    const value = Number(args[i + 1])
    if (!(name in options) || !Number.isInteger(value) || value < 1)
      return `cannot read ${args.slice(i, i + 2).join(" ")}`
    options[name as keyof Options] = value
  }
  return options
}

const print = (text: string, code: number): number => {
  ;(code === 0 ? console.log : console.error)(text)
  return code
}
