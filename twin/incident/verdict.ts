/**
 * How what the twin had said stands beside what somebody confirmed. Right is about the element, not about how it failed: a
 * link that was named as cut and was confirmed as flapping was found, and the technician was sent to the right place.
 */
import type { CauseMember, CauseView, Verdict } from "#protocol/incident.ts"

/** Of the primary cause: contributing ones are no verdict. */
export const verdictOf = (causes: readonly CauseView[], confirmed: readonly CauseMember[]): Verdict => {
  const named = causes.find(({ rank }) => rank === "primary")
  if (named === undefined) return { fault: null, confidence: null, isRight: false }
  const { members, confidence } = named
  return {
    fault: members[0]?.fault ?? null,
    confidence,
    isRight: confirmed.some((one) => members.some((member) => isSameElement(one, member))),
  }
}

const isSameElement = (a: CauseMember, b: CauseMember): boolean =>
  a.kind === b.kind && a.id === b.id && (a.entity ?? "") === (b.entity ?? "")

/** The line that a confirmation leaves in the timeline. */
export const confirmedWords = ({
  members,
  note,
}: {
  readonly members: readonly CauseMember[]
  readonly note: string
}): string => `true cause: ${members.map(({ name }) => name).join(", ")}. ${note}`.trim()
