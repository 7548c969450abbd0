/**
 * Where messages begin in bytes that nothing divides: RouterOS sends its default and its syslog format over TCP and TLS
 * without LF and without a length (data/routeros/SAMPLES.md). A guess, and a careful one: a message begins at `<PRI>` with
 * a time, or, where the bytes have no PRI, at two or more known topics of which one is a severity; and only right behind
 * the last letter of another message, not behind a space or a colon. What it misses stays one line, and nothing is lost.
 */
import { TOPIC_SEVERITY, TOPICS } from "#engine/collectors/syslog/topics.ts"

const words = (list: Iterable<string>): string => [...list].sort((a, b) => b.length - a.length).join("|")
const TOPIC = `(?:${words(TOPICS)})`
const SEVERITY = `(?:${words(TOPIC_SEVERITY.keys())})`
/** Two forms: a severity behind other topics, or other topics behind a severity. */
const TOPIC_LIST = `(?:(?:${TOPIC},){1,4}${SEVERITY}(?:,${TOPIC}){0,4}|${SEVERITY}(?:,${TOPIC}){1,4})`
const TIME = "(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} |(?:1 )?[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:)"
const BEHIND_A_LETTER = "(?<![\\s,:=(\\[{\"'<])"
const WITH_PRI = new RegExp(`${BEHIND_A_LETTER}<(?:1[0-8][0-9]|19[01]|[1-9]?[0-9])>${TIME}`, "g")
const WITH_TOPICS = new RegExp(`${BEHIND_A_LETTER}${TOPIC_LIST} `, "g")

const LESS_THAN = 0x3c

/** Ascending; the first is 0. The work is bounded by what a framer holds of one message. */
export const messageStarts = (bytes: Buffer): readonly number[] => {
  const pattern = bytes[0] === LESS_THAN ? WITH_PRI : WITH_TOPICS
  const starts = [0]
  // Latin 1: one character for each byte.
  for (const { index } of bytes.toString("latin1").matchAll(pattern)) if (index > 0) starts.push(index)
  return starts
}
