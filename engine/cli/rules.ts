/**
 * `heliograph rules`: alert rules from a shell. `check` and `scenario` need neither engine nor database, `test` folds the
 * stored journal, the others ask the REST API with a key like `heliograph api`.
 */
import * as Effect from "effect/Effect"
import { askApi } from "#engine/cli/api.ts"
import { failed, settingsOf, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import { readTime } from "#engine/cli/replay.ts"
import { readText, WrongFile } from "#engine/cli/named-file.ts"
import { readRules, usable } from "#engine/cli/rule-file.ts"
import { escapeText } from "#engine/log.ts"
import { nearest } from "#engine/nearest.ts"
import type { DryRun } from "#engine/rules/dry-run.ts"
import { entityKey, entityKind } from "#protocol/id.ts"
import type { Rule } from "#protocol/rule.ts"

const HELP = `usage: heliograph rules ACTION [ID or FILE] [options]

  list                        every rule, one a line
  get ID                      one rule as JSON
  put FILE                    writes the rule in FILE
  export [--all]              what this tenant wrote, for import; --all = shipped ones too
  import FILE [--replace] [--dry-run]
  check FILE                  every mistake in the rules of FILE, by path
  scenario FILE [--rules FILE]  runs a text scenario (load ... / expect ...); the shipped rules, and those of --rules
  test FILE [--from A --to B] [--tenant T] [--only]
                              what the rules of FILE would have done on the stored journal; nobody is told

A FILE of rules is one rule, a list of rules, or what export prints. --from and --to take a time (2026-11-21T10:00:00Z) or
an age (--from=-1h); default: the last hour. --only judges by FILE alone, else they join the tenant's, or replace those of their id.
list, get, put, import and export ask the engine: --key-file FILE [--url URL] [--plain-http], as in heliograph api.

Exit codes: 0 done, 1 mistakes, a scenario that failed, or refused; 2 wrong words, settings or file.`

const ACTIONS = ["list", "get", "put", "export", "import", "check", "scenario", "test"] as const
type Action = (typeof ACTIONS)[number]

export const rulesCommand: Command = {
  name: "rules",
  summary: "list, write, check and try out alert rules",
  help: () => HELP,
  words: ["ACTION"],
  moreWords: ["FILE"],
  options: {
    "key-file": { type: "string" },
    url: { type: "string" },
    "plain-http": { type: "boolean" },
    all: { type: "boolean" },
    replace: { type: "boolean" },
    "dry-run": { type: "boolean" },
    rules: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    tenant: { type: "string" },
    only: { type: "boolean" },
  },
  run: async ({ words: [word = "", file], options }, io) => {
    const action = ACTIONS.find((one) => one === word)
    if (action === undefined) {
      const near = nearest(word, ACTIONS)
      return wrong(io, `${JSON.stringify(word)} is no action${near === null ? "" : `; did you mean ${near}?`}`)
    }
    if (file === undefined && action !== "list" && action !== "export")
      return wrong(io, `${action === "get" ? "ID" : "FILE"} is missing`)
    try {
      return await RUN[action](file ?? "", options, io)
    } catch (cause) {
      return cause instanceof WrongFile ? wrong(io, cause.message) : failed("rules", cause, io)
    }
  },
}

type Options = CommandInput["options"]
type Run = (file: string, options: Options, io: CommandIo) => Promise<number>

const wrong = (io: CommandIo, why: string): number => {
  io.err(`heliograph rules: ${escapeText(why)}`)
  return 2
}
const printed = (io: CommandIo, { code, text }: { readonly code: number; readonly text: string }): number => {
  if (text !== "") io.out(text)
  return code
}

const RUN: Readonly<Record<Action, Run>> = {
  list: async (_file, options, io) => {
    interface Listed {
      readonly items: ReadonlyArray<{ readonly rule: Rule; readonly origin: string; readonly firing: number }>
      readonly next: string | null
    }
    let cursor: string | undefined
    do {
      const query = { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) }
      const { code, text } = await askApi("rules", "alertRules.list", { query }, options, io)
      if (code !== 0) return code
      const page = JSON.parse(text) as Listed
      for (const { rule, origin, firing } of page.items) {
        const state = rule.enabled ? (firing > 0 ? `fires ${firing}` : "on") : "off"
        io.out(escapeText(`${rule.id.padEnd(28)} ${state.padEnd(9)} ${origin.padEnd(18)} ${rule.name}`))
      }
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    return 0
  },
  get: async (id, options, io) => {
    const answer = await askApi("rules", "alertRules.get", { params: { id } }, options, io)
    if (answer.code !== 0) return answer.code
    io.out(JSON.stringify((JSON.parse(answer.text) as { readonly rule: Rule }).rule, null, 2))
    return 0
  },
  put: async (file, options, io) => {
    const rules = await usable(file, io)
    if (rules === null) return 1
    for (const rule of rules) {
      const input = { params: { id: rule.id }, body: rule }
      const { code } = await askApi("rules", "alertRules.put", input, options, io)
      if (code !== 0) return code
      io.out(`${rule.id} is written`)
    }
    return 0
  },
  export: async (_file, options, io) => {
    const query = options["all"] === true ? { all: "true" } : {}
    return printed(io, await askApi("rules", "alertRules.export", { query }, options, io))
  },
  import: async (file, options, io) => {
    const body = {
      mode: options["replace"] === true ? "replace" : "merge",
      rules: readRules(file),
      dryRun: options["dry-run"] === true,
    }
    return printed(io, await askApi("rules", "alertRules.import", { body }, options, io))
  },
  check: async (file, _options, io) => {
    const rules = await usable(file, io)
    if (rules === null) return 1
    io.out(`${rules.length} ${rules.length === 1 ? "rule" : "rules"}, no mistake`)
    return 0
  },
  scenario: async (file, options, io) => {
    const own = typeof options["rules"] === "string" ? await usable(options["rules"], io) : []
    return own === null ? 1 : scenario(file, own, io)
  },
  test: async (file, options, io) => {
    const rules = await usable(file, io)
    return rules === null ? 1 : tried(rules, options, io)
  },
}

const scenario = async (file: string, own: readonly Rule[], io: CommandIo): Promise<number> => {
  const { parseScenario, runScenario } = await import("#twin/alert/scenario.ts")
  const { checkRule, subjectKind } = await import("#twin/alert/check.ts")
  const { shippedRules } = await import("#engine/rules/rule-set.ts")
  const named = new Set(own.map(({ id }) => id))
  const shipped = [...shippedRules().values()].map(({ rule }) => rule).filter(({ id }) => !named.has(id))
  const judged = [...own, ...shipped].flatMap((rule) => {
    const checked = checkRule(rule)
    return checked.ok ? [{ rule: checked.rule, version: checked.version, kind: subjectKind(checked.rule) }] : []
  })
  const parsed = parseScenario(readText(file))
  const say = (lines: ReadonlyArray<{ readonly line: number; readonly message: string }>): number => {
    for (const { line, message } of lines) io.out(escapeText(`${file}:${line}: ${message}`))
    return 1
  }
  if (parsed.mistakes.length > 0) return say(parsed.mistakes)
  const { failures, verdicts } = runScenario(judged, parsed.scenario)
  if (failures.length > 0) return say(failures)
  io.out(`${parsed.scenario.expectations.length} expectations hold, ${verdicts.length} decisions`)
  return 0
}

const tried = async (rules: readonly Rule[], options: Options, io: CommandIo): Promise<number> => {
  const nowMs = Date.now()
  const time = (name: string, otherwise: string): number | null => {
    const given = options[name]
    return readTime(typeof given === "string" ? given : otherwise, nowMs)
  }
  const [fromMs, toMs] = [time("from", "-1h"), time("to", "-0s")]
  if (fromMs === null || toMs === null || fromMs >= toMs)
    return wrong(io, "--from and --to take a time like 2026-11-21T10:00:00Z or an age like -1h, --from before --to")
  const loaded = settingsOf(io)
  if (loaded === null) return 2
  const { openToolStorage } = await import("#engine/cli/storage.ts")
  const { dryRun } = await import("#engine/rules/dry-run.ts")
  const { readRuleSet } = await import("#engine/rules/rule-rows.ts")
  const { storedSource } = await import("#engine/replay/source.ts")
  const { listTenants } = await import("#engine/storage/tenants.ts")
  const program = Effect.gen(function* () {
    const { db } = yield* openToolStorage(loaded.config, (line) => io.err(line))
    const tenants = yield* listTenants(db)
    const slug = options["tenant"]
    const tenant = slug === undefined && tenants.length === 1 ? tenants[0] : tenants.find((one) => one.slug === slug)
    if (tenant === undefined)
      return yield* Effect.fail(new Error(`--tenant must be one of ${tenants.map((one) => one.slug).join(", ")}`))
    const named = new Set(rules.map(({ id }) => id))
    const { entries } = yield* db.tenant(tenant.id)((tx) => readRuleSet(tx, tenant.id))
    const others = options["only"] === true ? [] : entries.map(({ rule }) => rule).filter(({ id }) => !named.has(id))
    const request = { rules: [...rules, ...others], fromMs, toMs, devices: null }
    return yield* Effect.tryPromise({
      try: () => dryRun(storedSource(db, tenant.id), request, () => performance.now()),
      catch: (cause) => cause,
    })
  })
  report(await Effect.runPromise(Effect.scoped(program)), io)
  return 0
}

export const report = ({ rules, ...run }: DryRun, io: Pick<CommandIo, "out">): void => {
  const time = (ms: number | null): string => (ms === null ? "..." : new Date(ms).toISOString())
  const fired = rules.filter((rule) => rule.fired > 0)
  for (const { id, fired: count, told, alerts } of fired) {
    io.out(`${id}: fired ${count}, told ${told}`)
    for (const { deviceName, entity, fromMs, toMs, severity, summary } of alerts) {
      // What is told names a service; its id says nothing to people.
      const where = entityKind(entityKey(entity)) === "service" ? deviceName : `${deviceName} ${entity}`
      io.out(escapeText(`  ${time(fromMs)} - ${time(toMs)}  ${severity.padEnd(8)} ${where}  ${summary}`))
    }
  }
  io.out(JSON.stringify({ case: "rules-test", ...run, rules: rules.length, fired: fired.length }))
}
