/**
 * `heliograph replay` where it compares: the past under another topology or by other rules, and a branch of a moment that
 * hears more than the past did. Printed is what is otherwise; the last line is one JSON object.
 */
import type { CommandIo } from "#engine/cli/command.ts"
import { changeCounts, changeLine, lineOf, statusWords } from "#engine/cli/replay-words.ts"
import { readBytes, readText, WrongFile } from "#engine/cli/named-file.ts"
import { usable } from "#engine/cli/rule-file.ts"
import type { Otherwise } from "#engine/replay/counterfactual.ts"
import type { Compared } from "#engine/replay/side-by-side.ts"
import type { ReplaySource } from "#engine/replay/source.ts"
import type { ImportDocument } from "#engine/import/document.ts"

interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** Files of what shall be otherwise; null = as it was. */
export interface OtherwiseFiles {
  readonly topology: string | null
  readonly rules: string | null
  /** `rules` joins the tenant's own, or replaces those of its ids; else it stands alone. */
  readonly rulesJoin: boolean
}

/** 2 = a file is wrong, and every mistake in it was named. */
export const compared = async (
  source: ReplaySource,
  { fromMs, toMs }: Stretch,
  files: OtherwiseFiles,
  io: CommandIo,
): Promise<number> => {
  const { openReplay } = await import("#engine/replay/replay.ts")
  const { compareDecisions, inventoryOf } = await import("#engine/replay/counterfactual.ts")
  const document = files.topology === null ? null : await documentOf(files.topology, io)
  const rules = files.rules === null ? null : await rulesOf(files.rules, files.rulesJoin, io)
  if (document === WRONG || rules === WRONG) return 2
  const replay = await openReplay(source, fromMs)
  try {
    await replay.runTo({ atMs: fromMs })
    const inventory = document === null ? null : inventoryOf(document, replay.world.topology.inventory)
    const found = await compareDecisions(replay, { inventory, rules }, toMs)
    printed(found, io)
    io.out(JSON.stringify({ case: "replay-compare", ...times({ fromMs, toMs }), ...countsOf(found) }))
    return 0
  } finally {
    await replay.close()
  }
}

const WRONG = Symbol("every mistake was named")

const documentOf = async (file: string, io: CommandIo): Promise<ImportDocument | typeof WRONG> => {
  const { parseImport, formatImportErrors } = await import("#engine/import/parse.ts")
  const parsed = parseImport(readBytes(file))
  if (parsed.ok) return parsed.document
  for (const line of formatImportErrors(file, parsed)) io.err(line)
  return WRONG
}

const rulesOf = async (file: string, join: boolean, io: CommandIo): Promise<Otherwise["rules"] | typeof WRONG> => {
  const { onlyThese, togetherWith } = await import("#engine/replay/counterfactual.ts")
  const { RULES_MAX } = await import("#twin/alert/plan.ts")
  const rules = await usable(file, io, io.err)
  if (rules === null) return WRONG
  if (rules.length > RULES_MAX)
    throw new WrongFile(`${file} has ${rules.length} rules; a twin judges by ${RULES_MAX} at most`)
  return join ? togetherWith(rules) : onlyThese(rules)
}

export interface Fork {
  readonly atMs: number
  readonly file: string
  readonly alone: boolean
}

export const forked = async (source: ReplaySource, toMs: number, fork: Fork, io: CommandIo): Promise<number> => {
  const { openReplay } = await import("#engine/replay/replay.ts")
  const { compareBranch } = await import("#engine/replay/branch.ts")
  const { readForkInputs } = await import("#engine/replay/fork-inputs.ts")
  const text = readText(fork.file)
  const replay = await openReplay(source, fork.atMs)
  try {
    await replay.runTo({ atMs: fork.atMs })
    const own = readForkInputs(text, replay.world.topology.inventory, fork.atMs)
    const found = await compareBranch(replay, own, toMs, fork.alone)
    printed(found, io)
    for (const { kind, name, before, now } of found.otherwise)
      io.out(`~ ${kind} ${JSON.stringify(name)}: ${statusWords(before)} -> ${statusWords(now)}`)
    io.out(
      JSON.stringify({
        case: "replay-fork",
        at: new Date(fork.atMs).toISOString(),
        to: new Date(toMs).toISOString(),
        own: own.filter(({ atMs }) => atMs <= toMs).length,
        ...countsOf(found),
        otherwise: found.otherwise.length,
        stateHash: found.stateHash,
        branchHash: found.branchHash,
      }),
    )
    return 0
  } finally {
    await replay.close()
  }
}

const printed = ({ onlyBefore, onlyNow, untold, changes }: Compared, io: CommandIo): void => {
  for (const event of onlyBefore) io.out(`- ${lineOf(event)}`)
  for (const event of onlyNow) io.out(`+ ${lineOf(event)}`)
  if (untold > 0) io.out(`${untold} more events are on one side only`)
  for (const change of changes) io.out(changeLine(change))
}

const times = ({ fromMs, toMs }: Stretch) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
})

const countsOf = ({ inputs, same, onlyBefore, onlyNow, untold, changes }: Compared) => ({
  inputs,
  same,
  onlyBefore: onlyBefore.length,
  onlyNow: onlyNow.length,
  untold,
  ...changeCounts(changes),
})
