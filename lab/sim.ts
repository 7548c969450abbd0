/**
 * `npm run sim -- --seed N`: the lab knows the truth, and the twin must come to agree. A real engine watches a real
 * emulated ISP over sockets while seeded faults cut links and kill routers; after each one the stream must show what
 * the lab knows, within the stated time. The first disagreement ends the run and names the seed and the step.
 */
import process from "node:process"
import { withScene, type Scene } from "#lab/drive/scene.ts"

const HELP = `usage: npm run sim -- [--seed N] [--routers N] [--steps N] [--poll-seconds N]

Runs seeded faults against a real engine and checks after each that the twin agrees with the lab.
`

const DEFAULTS = { seed: 1, routers: 24, steps: 20, "poll-seconds": 1 }
type Options = { -readonly [Key in keyof typeof DEFAULTS]: number }

const main = async (args: readonly string[]): Promise<number> => {
  if (args.includes("--help")) return print(HELP, 0)
  const options = readOptions(args)
  if (typeof options === "string") return print(`${options}\n\n${HELP}`, 2)
  const { seed, routers, steps } = options
  const pollSeconds = options["poll-seconds"]
  console.log(`sim: seed ${seed}, ${routers} routers, ${steps} faults, polled every ${pollSeconds} s`)
  return withScene({ routers, seed, pollSeconds, push: true }, async (scene) => {
    const dice = generator(seed)
    for (let step = 1; step <= steps; step++) {
      const fault = await applyOne(scene, dice)
      const disagreements = await agree(scene, pollSeconds)
      console.log(`  ${step}. ${fault}: ${disagreements.length === 0 ? "agrees" : "DISAGREES"}`)
      if (disagreements.length > 0) {
        return print(`seed ${seed}, step ${step}, ${fault}:\n${disagreements.map((line) => `  ${line}`).join("\n")}`, 1)
      }
    }
    console.log(JSON.stringify({ case: "sim", seed, routers, steps, agreed: steps }))
    return 0
  })
}

/** Breaks something that is whole, or mends what is broken; half and half once something is broken. */
const applyOne = async (scene: Scene, dice: () => number): Promise<string> => {
  const truth = await scene.lab.truth()
  const down = truth.links.filter((link) => !link.up)
  const dead = truth.routers.filter((router) => !router.alive)
  const pick = <A>(from: readonly A[]): A => from[Math.floor(dice() * from.length)] as A
  const mend = dice() < 0.5
  if (mend && dead.length > 0) {
    const { name } = pick(dead)
    await scene.lab.fault("revive", name)
    return `revive ${name}`
  }
  const broken = down.filter((link) => !dead.some((router) => router.name === link.a || router.name === link.b))
  if (mend && broken.length > 0) {
    const { a, b } = pick(broken)
    await scene.lab.fault("mend", a, b)
    return `mend ${a} ${b}`
  }
  const alive = truth.routers.filter((router) => router.alive)
  if (dice() < 0.25 && alive.length > truth.routers.length / 2) {
    const { name } = pick(alive)
    await scene.lab.fault("kill", name)
    return `kill ${name}`
  }
  const whole = truth.links.filter((link) => link.up)
  const { a, b } = pick(whole)
  await scene.lab.fault("cut", a, b)
  return `cut ${a} ${b}`
}

/** What still differs from the truth when the time is up; empty = the twin has come to agree. */
const agree = async (scene: Scene, pollSeconds: number): Promise<readonly string[]> => {
  const truth = await scene.lab.truth()
  const alive = new Set(truth.routers.filter((router) => router.alive).map((router) => router.name))
  const names = scene.viewer.snap().nodes.name
  const differences = (): string[] => [
    ...truth.links.flatMap(({ a, b, up }) => {
      const slot = scene.viewer.linkSlot(a, b)
      if (slot === undefined) return [`link ${a} - ${b} is not in the twin`]
      const health = scene.viewer.linkHealth(slot)
      // Nobody alive at either end: nothing can be known, and the twin must not claim that it is up.
      const wanted = alive.has(a) || alive.has(b) ? (up ? health === "ok" : health === "down") : health !== "ok"
      return wanted ? [] : [`link ${a} - ${b} is ${up ? "up" : "down"}, the twin says ${health}`]
    }),
    ...names.flatMap((name, slot) => {
      const health = scene.viewer.nodeHealth(slot)
      return alive.has(name) === (health !== "unreachable")
        ? []
        : [`router ${name} is ${alive.has(name) ? "alive" : "dead"}, the twin says ${health}`]
    }),
  ]
  // A dead router is believed dead after a failed poll (5 s deadline at most) and confirmed by the next one.
  await scene.viewer.until(() => differences().length === 0, pollSeconds * 4000 + 15_000).catch(() => undefined)
  return differences()
}

/** mulberry32: the run's dice. */
const generator = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
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

process.exitCode = await main(process.argv.slice(2))
