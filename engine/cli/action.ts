/**
 * A command whose first word is an action, each of which asks the REST API with a key: `heliograph whatif`, `heliograph
 * topology`. What was typed wrong is said before anything is asked, and with its own exit code.
 */
import { failed, type Command, type CommandInput, type CommandIo } from "#engine/cli/command.ts"
import { askerOf, NoSuchName, NotAnswered, type Ask } from "#engine/cli/network-names.ts"
import { escapeText } from "#engine/log.ts"
import { nearest } from "#engine/nearest.ts"

type Options = CommandInput["options"]

export interface Job {
  readonly ask: Ask
  /** After the action. */
  readonly words: readonly string[]
  readonly options: Options
  readonly say: (line: string) => void
  /** True = it was printed as it is, because --json was said. */
  readonly json: (answer: unknown) => boolean
}

export const ASKING_OPTIONS = {
  "key-file": { type: "string" },
  url: { type: "string" },
  "plain-http": { type: "boolean" },
  json: { type: "boolean" },
} as const

/** `check` throws NoSuchName for words and options that the action does not take. */
export const runActions =
  <A extends string>(
    command: string,
    actions: Readonly<Record<A, (job: Job) => Promise<void>>>,
    check: (action: A, words: readonly string[], options: Options) => void,
  ): Command["run"] =>
  async ({ words: [word = "", ...words], options }, io) => {
    const action = (Object.keys(actions) as A[]).find((one) => one === word)
    try {
      if (action === undefined) throw new NoSuchName(noAction(word, Object.keys(actions)))
      check(action, words, options)
      const say = (line: string): void => io.out(escapeText(line))
      const json = (answer: unknown): boolean => {
        if (options["json"] === true) io.out(JSON.stringify(answer))
        return options["json"] === true
      }
      await actions[action]({ ask: askerOf(command, options, io), words, options, say, json })
      return 0
    } catch (cause) {
      return ended(command, cause, io)
    }
  }

/** 2 = what was typed is wrong; what the API said was printed when it said it. */
const ended = (command: string, cause: unknown, io: CommandIo): number => {
  if (cause instanceof NotAnswered) return cause.code
  if (!(cause instanceof NoSuchName)) return failed(command, cause, io)
  io.err(escapeText(`heliograph ${command}: ${cause.message}`))
  return 2
}

const noAction = (word: string, actions: readonly string[]): string => {
  const near = nearest(word, actions)
  return `${JSON.stringify(word)} is no action; ${near === null ? `there are ${actions.join(", ")}` : `did you mean ${near}?`}`
}
