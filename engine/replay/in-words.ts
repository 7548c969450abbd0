/** Why a replay cannot go on, for whoever looks at it: our own errors speak for themselves, anything else is a defect. */
import { errorLine } from "#engine/actors/dead-letters.ts"

/** One line without secrets: tagged errors of storage and replay hold none (engine/storage/db.ts). */
export const inWords = (error: unknown): string => {
  if (!(error instanceof Error && "_tag" in error) || error.message === "") return errorLine(error)
  return error.message.split("\n", 1)[0] ?? ""
}
