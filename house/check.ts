/**
 * `npm run check`: types, arrows, lint, format, dead code; each step with its time, all of them even when one fails.
 * The Effect diagnostics of @effect/tsgo cannot be locked on every platform, so they are an optional gate: run with
 * `npm run check -- --effect`, and skipped out loud otherwise.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"

const root = resolve(import.meta.dirname, "..")
/** The release whose diagnostics know TypeScript 7.0.2 and Effect 4.1. */
const TSGO = "@effect/tsgo@0.45.0"

interface Gate {
  readonly name: string
  readonly command: readonly string[]
}
const GATES: readonly Gate[] = [
  { name: "types", command: ["tsc", "-b"] },
  { name: "arrows", command: ["node", "--test", "--test-reporter=dot", "house/house.test.ts"] },
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "dead code", command: ["knip"] },
]

const main = (): void => {
  const failed = GATES.filter((gate) => !passes(gate)).map((gate) => gate.name)
  if (process.argv.includes("--effect")) {
    if (!effectDiagnostics()) failed.push("effect diagnostics")
  } else console.log("skip  effect diagnostics (optional; enable: npm run check -- --effect)")
  if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

const passes = (gate: Gate): boolean => {
  const started = performance.now()
  const [file, ...args] = gate.command
  const result = spawnSync(file as string, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 })
  const ok = result.status === 0
  console.log(`${ok ? "  ok" : "FAIL"}  ${gate.name}  ${Math.round(performance.now() - started)} ms`)
  if (!ok) console.log(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`)
  return ok
}

/** True when the gate saw a planted Effect 3 habit and found nothing else. A gate that sees no files proves nothing. */
const effectDiagnostics = (): boolean => {
  const run = (project: string) =>
    spawnSync("npm", ["exec", "--yes", `--package=${TSGO}`, "--", "effect-tsgo", "diagnostics", "--project", project], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    })
  const planted = mkdtempSync(join(root, "engine", ".planted-"))
  try {
    writeFileSync(
      join(planted, "old.ts"),
      'import * as Effect from "effect/Effect"\nexport const old = Effect.catchAll(Effect.void, () => Effect.void)\n',
    )
    writeFileSync(
      join(planted, "tsconfig.json"),
      JSON.stringify({
        extends: "../../tsconfig.base.json",
        compilerOptions: {
          plugins: [{ name: "@effect/language-service" }],
          types: ["node"],
          outDir: join(tmpdir(), "heliograph-planted"),
        },
        include: ["old.ts"],
      }),
    )
    const seen = run(join(planted, "tsconfig.json"))
    const text = `${seen.stdout}${seen.stderr}`
    if (seen.error !== undefined || /E404|ENOTFOUND|ERESOLVE|npm error/.test(text)) {
      console.log(`skip  effect diagnostics (${TSGO} cannot be had here; enable: a registry that has it)`)
      return true
    }
    if (!/catchAll/.test(text)) {
      console.log(`FAIL  effect diagnostics did not see the planted Effect 3 habit:\n${text}`)
      return false
    }
  } finally {
    rmSync(planted, { recursive: true, force: true })
  }
  const real = run("engine/tsconfig.json")
  const text = `${real.stdout}${real.stderr}`
  // Without the plugin in its tsconfig the tool checks nothing, says nothing, and exits with 0.
  const files = Number(/Checked (\d+) files/.exec(text)?.[1] ?? 0)
  const ok = real.status === 0 && files > 100
  console.log(`${ok ? "  ok" : "FAIL"}  effect diagnostics of ${files} files\n${ok ? "" : text}`)
  return ok
}

main()
