/**
 * `heliograph whatif`: the questions of the what-if screen from a shell (docs/whatif.md), by the REST API with a key like
 * `heliograph api`. Nothing here changes anything.
 */
import { ASKING_OPTIONS, runActions, type Job } from "#engine/cli/action.ts"
import type { Command } from "#engine/cli/command.ts"
import { deviceNamed, faultNamed, NoSuchName } from "#engine/cli/network-names.ts"
import { readTime } from "#engine/cli/replay.ts"
import type { LoadShift, NextFailures, Paths, Ref, SinglePoint, WhatIfAnswer } from "#protocol/rest-generated.ts"

const HELP = `usage: heliograph whatif ACTION ... --key-file FILE [options]

  fail WHAT...                what would be if these failed at once
  next [--top N]              every single failure, ranked by customers times failures a year (default 20)
  paths A B [--k N]           the shortest ways between two devices (default 3), and how many are disjoint
  single [--lost]             who has no second way; --lost = only those whose plan has one

WHAT is one of
  router:NAME  link:A~B  drain:A~B  port:NAME~INTERFACE  site:NAME  group:NAME
A and B are devices; where several links are between them: "link:A PORT~B PORT". A group is a shared-risk group.
  --at TIME            as it was then: a time of the stored past (2026-11-21T10:00:00Z) or an age (--at=-1h); the twin as it
                       was is branched, and asked, or broken, there
  --json               the API's answer as it is
  --key-file FILE      an API key; with --url URL and --plain-http as in heliograph api

  heliograph whatif fail router:core1 drain:core2~agg1 --at=-30m --key-file key

Exit codes: 0 answered, 1 refused or no answer, 2 wrong words or names.`

/** As the API takes them. */
const FAULTS_MAX = 200
const ROWS = 20

type Action = "fail" | "next" | "paths" | "single"
type Options = Job["options"]

export const whatIfCommand: Command = {
  name: "whatif",
  summary: "what would be if something failed, what fails next, and by which ways",
  help: () => HELP,
  words: ["ACTION"],
  moreWords: Array.from({ length: FAULTS_MAX }, () => "WHAT"),
  options: {
    ...ASKING_OPTIONS,
    at: { type: "string" },
    top: { type: "string" },
    k: { type: "string" },
    lost: { type: "boolean" },
  },
  run: (input, io) => run(input, io),
}

const OWN: Readonly<Record<string, Action>> = { top: "next", k: "paths", lost: "single" }

/** An option that would be passed over in silence answers another question than was asked. */
const refuseOptions = (action: Action, _words: readonly string[], options: Options): void => {
  for (const [name, own] of Object.entries(OWN))
    if (options[name] !== undefined && own !== action) throw new NoSuchName(`--${name} belongs to whatif ${own}`)
}

const wholeOf = (options: Options, name: string, otherwise: number, max: number): number => {
  const text = options[name]
  if (text === undefined) return otherwise
  const number = Number(text)
  if (typeof text !== "string" || !/^\d{1,6}$/.test(text) || number < 1 || number > max)
    throw new NoSuchName(`--${name} takes a whole number from 1 to ${max}`)
  return number
}

/** Of --at; empty = now. */
const momentOf = ({ at }: Options): { readonly atMs?: number } => {
  if (at === undefined) return {}
  const atMs = typeof at === "string" ? readTime(at, Date.now()) : null
  if (atMs === null) throw new NoSuchName("--at takes a time like 2026-11-21T10:00:00Z or an age like -1h")
  return { atMs }
}

const RUN: Readonly<Record<Action, (job: Job) => Promise<void>>> = {
  fail: async ({ ask, words, options, say, json }) => {
    if (words.length === 0) throw new NoSuchName("WHAT is missing: whatif fail router:NAME, see --help")
    const at = momentOf(options)
    const faults = []
    for (const word of words) faults.push(await faultNamed(ask, word))
    const body = { faults, ...at }
    const answer = await ask<WhatIfAnswer>("whatIf.ask", { body })
    if (!json(answer)) for (const line of impactOf(answer)) say(line)
  },
  next: async ({ ask, words, options, say, json }) => {
    none(words)
    const query = { limit: wholeOf(options, "top", ROWS, 200), ...momentOf(options) }
    const answer = await ask<NextFailures>("whatIf.nextFailures", { query })
    if (json(answer)) return
    for (const [index, { element, why, score }] of answer.candidates.entries())
      say(
        `${String(index + 1).padStart(3)}  ${element.kind.padEnd(6)} ${element.name}  (score ${round(score)})  ${why}`,
      )
    say(`${answer.tried} tried, ${answer.harmful} of them hurt somebody; ${answer.single} devices have one way alone`)
    if (answer.lostRedundancy > 0) say(`${answer.lostRedundancy} of them have lost their second way`)
  },
  paths: async ({ ask, words, options, say, json }) => {
    const [from, to, ...rest] = words
    if (from === undefined || to === undefined) throw new NoSuchName("paths takes two devices, A and B")
    none(rest)
    const at = momentOf(options)
    const query = { from: (await deviceNamed(ask, from)).id, to: (await deviceNamed(ask, to)).id, ...at }
    const answer = await ask<Paths>("whatIf.paths", { query: { ...query, k: wholeOf(options, "k", 3, 20) } })
    if (json(answer)) return
    for (const [index, { cost, devices }] of answer.paths.entries())
      say(`${index + 1}  cost ${cost}  ${devices.map(({ name }) => name).join(" > ")}`)
    say(answer.why)
  },
  single: async ({ ask, words, options, say, json }) => {
    none(words)
    const query = { limit: 1_000, ...(options["lost"] === true ? { lostNow: "true" } : {}), ...momentOf(options) }
    const answer = await ask<{ readonly items: readonly SinglePoint[]; readonly next: string | null }>(
      "whatIf.singlePoints",
      { query },
    )
    if (json(answer)) return
    for (const { why } of answer.items) say(why)
    if (answer.items.length === 0) say("everybody has a second way")
    if (answer.next !== null) say("... and more")
  },
}
const run = runActions("whatif", RUN, refuseOptions)

const none = ([word]: readonly string[]): void => {
  if (word !== undefined) throw new NoSuchName(`what is ${JSON.stringify(word)}?`)
}

/** The answer in lines: what fails, who loses, where the traffic goes, what it rests on. */
const impactOf = (answer: WhatIfAnswer): readonly string[] => {
  const { failed: down, customers, totals } = answer
  const { count, quality, measured, estimated, uncounted } = customers
  const known = count ?? measured + estimated
  const unknown = uncounted > 0 ? `, and those of ${uncounted} routers that nobody counts` : ""
  return [
    `at ${new Date(answer.atMs).toISOString()} (input ${answer.seq})`,
    ...list("down", down.devices, down.devices.length),
    ...list("cut", down.links, down.links.length),
    ...list("drained", down.drained, down.drained.length),
    ...down.unknown.map((fault) => `unknown    ${JSON.stringify(fault)}: it was not there then, or carries no link`),
    `customers  ${count === null ? `at least ${known}` : known} lose service (${quality}${unknown})`,
    ...list("offline", answer.offline, totals.offline),
    ...list("apart", answer.unreachable, totals.unreachable),
    ...list("sites", answer.isolatedSites, totals.isolatedSites),
    ...list("groups", answer.brokenGroups, answer.brokenGroups.length),
    ...answer.exits
      .slice(0, ROWS)
      .map(({ device, from, to }) => `exit       ${device.name}: ${from.name} -> ${to.name}`),
    ...rest(answer.exits.slice(0, ROWS).length, totals.exits),
    ...answer.overloaded.slice(0, ROWS).map(fullOf),
    ...rest(answer.overloaded.slice(0, ROWS).length, totals.overloaded),
    ...answer.assumptions.map((one) => `assumed    ${one}`),
  ]
}

const list = (head: string, refs: readonly Ref[], total: number): readonly string[] => {
  if (total === 0) return []
  const names = refs.slice(0, ROWS).map(({ name }) => name)
  const more = total > names.length ? `, and ${total - names.length} more` : ""
  return [`${head.padEnd(10)} ${names.join(", ")}${more}`]
}

const rest = (shown: number, total: number): readonly string[] =>
  total > shown ? [`           ... and ${total - shown} more`] : []

const fullOf = ({ from, to, beforeBps, afterBps, capacityBps }: LoadShift): string =>
  `full       ${from.name} -> ${to.name}: ${mbps(beforeBps)} -> ${mbps(afterBps)} of ${capacityBps === null ? "?" : mbps(capacityBps)}`

const mbps = (bps: number): string => `${round(bps / 1e6)} Mbit/s`
const round = (value: number): number => Math.round(value * 10) / 10
