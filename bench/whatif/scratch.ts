/** Compiles and runs scratch.c, the C yardstick, on a graph of ours; without a compiler it says so. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const COMPILER = "gcc"

/** The parts of a flat graph that the C program reads. */
interface Rows {
  readonly nodes: number
  readonly from: Uint32Array
  readonly to: Uint32Array
  readonly cost: Uint32Array
  readonly back: Uint32Array
}

export interface Scratch {
  readonly bfsUs: number
  readonly reached: number
  readonly dijkstraUs: number
  readonly distanceSum: number
}

/** Median of 101 runs each; or why there is none. */
export const scratchInC = ({ nodes, from, to, cost, back }: Rows, roots: readonly number[]): Scratch | string => {
  const directory = mkdtempSync(join(tmpdir(), "heliograph-whatif-"))
  try {
    const program = join(directory, "scratch")
    execFileSync(COMPILER, ["-O2", "-o", program, join(import.meta.dirname, "scratch.c")], { stdio: "pipe" })
    const words = [
      nodes,
      to.length,
      roots.length,
      ...from,
      ...to,
      ...back.map((half) => cost[half] as number),
      ...roots,
    ]
    const out = execFileSync(program, { input: Buffer.from(Uint32Array.from(words).buffer), encoding: "utf8" })
    const [bfsUs, reached, dijkstraUs, distanceSum] = out.trim().split(" ").map(Number) as [
      number,
      number,
      number,
      number,
    ]
    return { bfsUs, reached, dijkstraUs, distanceSum }
  } catch (cause) {
    const { code, stderr } = cause as { readonly code?: string; readonly stderr?: Buffer | string }
    return code === "ENOENT" ? "gcc is not installed (apt-get install gcc)" : String(stderr ?? cause).slice(0, 200)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
