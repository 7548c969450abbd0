/**
 * Makes sure that the browser bundle and the base map exist before the engine serves them. The builder runs in a
 * process of its own, because it wants CPU for seconds and packages that production does not need; where it cannot run
 * (no development packages, no sources), a bundle that is already there is served as it is.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** `message` says what to do. */
export class ClientBundleFailed extends Data.TaggedError("ClientBundleFailed")<{ readonly message: string }> {}

export interface ClientBundle {
  /** For HttpOptions.staticDir. */
  readonly staticDir: string
  /** Null when there is none. */
  readonly basemapPath: string | null
}

/** One JSON line of client/build/build.ts. */
export interface BuildStep {
  readonly step: string
  readonly ms: number
  readonly cached: boolean
}

const ROOT = fileURLToPath(new URL("../", import.meta.url))
/** A cold build takes about ten seconds; past this something hangs. */
const BUILD_MS_MAX = 600_000
/** Of the builder's stderr, for the message. */
const COMPLAINT_MAX = 4_000

export const ensureClientBundle = (
  onStep: (step: BuildStep) => void,
  root: string = ROOT,
): Effect.Effect<ClientBundle, ClientBundleFailed> =>
  Effect.gen(function* () {
    const builder = join(root, "client/build/build.ts")
    const staticDir = join(root, "dist/client")
    const ready = (): ClientBundle => {
      const basemap = join(root, "dist/basemap.pmtiles")
      return { staticDir, basemapPath: existsSync(basemap) ? basemap : null }
    }
    const isBuilt = (): boolean => existsSync(join(staticDir, "index.html"))
    const complaint = existsSync(builder) ? yield* build(root, builder, onStep) : `${builder} does not exist`
    if (complaint === null && isBuilt()) return ready()
    const lacksPackages = complaint !== null && /ERR_MODULE_NOT_FOUND|Cannot find (package|module)/.test(complaint)
    // A stale bundle is no answer to a build that fails: the reason would stay unseen.
    if (isBuilt() && (lacksPackages || !existsSync(builder))) return ready()
    return yield* new ClientBundleFailed({
      message: lacksPackages
        ? "the browser bundle is not built and its builder's packages are missing: run `npm ci` (with development packages) once, or copy dist/ from a machine that has built it"
        : `the browser bundle could not be built:\n${complaint ?? "the builder ended without dist/client/index.html"}`,
    })
  })

/** Null when it worked, else what it said. The child ends with the effect. */
const build = (root: string, builder: string, onStep: (step: BuildStep) => void): Effect.Effect<string | null> =>
  Effect.callback<string | null>((resume) => {
    const child = spawn(process.execPath, [builder], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let complaint = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      const step = readStep(line)
      if (step !== null) onStep(step)
    })
    child.stderr.on("data", (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-COMPLAINT_MAX)))
    child.once("error", (cause) => resume(Effect.succeed(cause.message)))
    child.once("close", (code, signal) =>
      resume(Effect.succeed(code === 0 ? null : complaint.trim() || `it ended with ${signal ?? `code ${code}`}`)),
    )
    return Effect.sync(() => child.kill())
  }).pipe(
    Effect.timeoutOrElse({
      duration: BUILD_MS_MAX,
      orElse: () => Effect.succeed(`it did not end within ${BUILD_MS_MAX / 1000} s`),
    }),
  )

const readStep = (line: string): BuildStep | null => {
  try {
    const { step, ms, cached } = JSON.parse(line) as Partial<BuildStep>
    return typeof step === "string" && typeof ms === "number" && typeof cached === "boolean"
      ? { step, ms, cached }
      : null
  } catch {
    return null
  }
}
