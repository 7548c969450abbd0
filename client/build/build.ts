/**
 * `node client/build/build.ts [--force]`: makes dist/client (the Vite bundle) and dist/basemap.pmtiles, each only when
 * its sources changed (content hash beside it). The engine runs it at start and reads one JSON line per step:
 * {"step":"basemap"|"client","ms":1234,"cached":false,"bytes":...}. Two starts at once are safe: each builds into a
 * folder of its own and renames it into place; who comes second takes what the first one made.
 */
import { createHash, randomUUID } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))
/** Inside each product, so that product and stamp change in one rename. */
const STAMP = ".sources"

interface Step {
  readonly name: "basemap" | "client"
  /** Files and folders whose content decides the product. */
  readonly sources: readonly string[]
  readonly skip: RegExp
  readonly product: string
  readonly make: (into: string) => Promise<void>
}

const STEPS: readonly Step[] = [
  {
    name: "basemap",
    sources: ["client/build/basemap.ts", "client/build/pmtiles-write.ts", "package-lock.json"],
    skip: /^$/,
    product: "basemap",
    make: async (into) => {
      const { buildBasemap } = await import("./basemap.ts")
      await mkdir(into, { recursive: true })
      await writeFile(join(into, "basemap.pmtiles"), await buildBasemap())
    },
  },
  {
    name: "client",
    sources: ["client", "protocol", "package-lock.json"],
    skip: /\.test\.tsx?$|^client\/(e2e|build)\/|^protocol\/vectors\/|\.md$|tsconfig.*\.json$/,
    product: "client",
    make: async (into) => {
      const { build } = await import("vite")
      const configFile = join(ROOT, "client/vite.config.ts")
      await build({ configFile, logLevel: "error", build: { outDir: into, emptyOutDir: true } })
    },
  },
]

export interface BuildOptions {
  /** Where the products go; the repository's dist/ by default. */
  readonly dist?: string
  readonly force?: boolean
  readonly only?: Step["name"]
  readonly report?: (line: Readonly<Record<string, string | number | boolean>>) => void
}

/** Brings every product up to date. Rejects with the builder's own error when one cannot be made. */
export const buildAll = async (options: BuildOptions = {}): Promise<void> => {
  const dist = options.dist ?? join(ROOT, "dist")
  await mkdir(dist, { recursive: true })
  for (const step of STEPS) {
    if (options.only !== undefined && options.only !== step.name) continue
    const started = performance.now()
    const cached = !(await bringUpToDate(step, dist, options.force === true))
    options.report?.({ step: step.name, ms: Math.round(performance.now() - started), cached })
  }
}

/** True when it had to build. */
const bringUpToDate = async (step: Step, dist: string, force: boolean): Promise<boolean> => {
  const hash = await hashSources(step)
  const product = join(dist, step.product)
  if (!force && (await isCurrent(dist, step, hash))) return false
  const own = join(dist, `.${step.product}-${process.pid}-${randomUUID().slice(0, 8)}`)
  try {
    await step.make(own)
    await writeFile(join(own, STAMP), hash)
    if (step.name === "basemap") await replaceFile(own, dist, hash)
    else await replaceFolder(own, product)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
  return true
}

const stampOf = (dist: string, step: Step): string =>
  step.name === "basemap" ? join(dist, "basemap.sources") : join(dist, step.product, STAMP)

const isCurrent = async (dist: string, step: Step, hash: string): Promise<boolean> => {
  const stamp = await readFile(stampOf(dist, step), "utf8").catch(() => "")
  const product = step.name === "basemap" ? join(dist, "basemap.pmtiles") : join(dist, "client/index.html")
  return (
    stamp === hash &&
    (await stat(product).then(
      () => true,
      () => false,
    ))
  )
}

/** The archive first, the stamp after it: a crash between them only costs one more build. */
const replaceFile = async (own: string, dist: string, hash: string): Promise<void> => {
  await rename(join(own, "basemap.pmtiles"), join(dist, "basemap.pmtiles"))
  await writeFile(join(own, STAMP), hash)
  await rename(join(own, STAMP), join(dist, "basemap.sources"))
}

/** A folder cannot be renamed over another: the old one steps aside, and losing the race to an equal build is fine. */
const replaceFolder = async (own: string, product: string): Promise<void> => {
  const old = `${own}-old`
  await rename(product, old).catch(ignoreMissing)
  await rename(own, product).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
  })
  await rm(old, { recursive: true, force: true })
}

const ignoreMissing = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "ENOENT") throw error
}

const hashSources = async (step: Step): Promise<string> => {
  const hash = createHash("sha256")
  for (const source of step.sources) {
    for (const file of await filesUnder(join(ROOT, source))) {
      const name = relative(ROOT, file)
      if (step.skip.test(name)) continue
      hash.update(`${name}\n`).update(await readFile(file))
    }
  }
  return hash.digest("hex")
}

const filesUnder = async (path: string): Promise<string[]> => {
  if (!(await stat(path)).isDirectory()) return [path]
  const found = await readdir(path, { recursive: true, withFileTypes: true })
  return found
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .sort()
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  process.chdir(dirname(fileURLToPath(new URL("../", import.meta.url))))
  await buildAll({
    force: process.argv.includes("--force"),
    report: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
  })
}
