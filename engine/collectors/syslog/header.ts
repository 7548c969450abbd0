/**
 * What comes before a syslog message's text, in every form that the routers we know send: RFC 5424, RFC 3164, RouterOS'
 * default `<topics> <message>` without any header, its `syslog`/bsd form, and CEF. Scanned by hand in linear time: the
 * text is a stranger's. What cannot be understood stays part of the message, so that nothing is lost.
 */
import { deviceText } from "#engine/collectors/device-text.ts"
import { MESSAGE_MAX_BYTES } from "#engine/collectors/syslog/frames.ts"
import { TOPIC_SEVERITY, TOPICS } from "#engine/collectors/syslog/topics.ts"

export interface SyslogLine {
  /** RFC 5424 numerical severity, 0-7. */
  readonly severity: number
  /** RouterOS topics; empty for other routers. */
  readonly topics: readonly string[]
  /** The message without header; unsafe characters are spaces, at most 8 KiB. */
  readonly message: string
  /** The whole line, made safe, when the message is not all of it: PRI, time, host, structured data, topics. */
  readonly raw?: string
}

/** RFC 3164 s4.3.3: a message without PRI is `user.notice`; RouterOS' topics say it better. */
const DEFAULT_SEVERITY = 5

/** Topics kept of one log row; RouterOS gives at most a handful. */
const TOPICS_MAX = 16

/** The bytes of one message. Null for one with nothing in it. */
export const parseSyslog = (bytes: Uint8Array): SyslogLine | null => {
  const capped = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MESSAGE_MAX_BYTES))
  const text = deviceText(capped.toString("utf8"), MESSAGE_MAX_BYTES)
  if (text === "") return null
  const line = readLine(text)
  return line.message === text ? line : { ...line, raw: text }
}

const readLine = (text: string): SyslogLine => {
  const { severity, rest } = readPri(text)
  if (severity !== null && rest.startsWith("1 ")) {
    const message = rfc5424Message(rest)
    if (message !== null) return withTopics(severity, message, false)
  }
  const body = afterTimestamp(rest)
  return body === null ? withTopics(severity, rest, true) : withTopics(severity, afterHost(body), false)
}

/** A row of a RouterOS log (/log/print): topics are known, no header is in the way. Null for one with nothing in it. */
export const parseLogRow = (topics: string, message: string): SyslogLine | null => {
  const text = deviceText(message, MESSAGE_MAX_BYTES)
  if (text === "") return null
  const words = topics === "" ? [] : topics.split(",", TOPICS_MAX).map((topic) => deviceText(topic))
  return { severity: severityOf(words), topics: words, message: text }
}

/** `<0>` to `<191>` (RFC 5424 s6.2.1). */
const readPri = (text: string): { readonly severity: number | null; readonly rest: string } => {
  const end = text.startsWith("<") ? text.indexOf(">", 1) : -1
  if (end < 2 || end > 4) return { severity: null, rest: text }
  const pri = text.slice(1, end)
  for (const digit of pri) if (digit < "0" || digit > "9") return { severity: null, rest: text }
  return Number(pri) > 191 ? { severity: null, rest: text } : { severity: Number(pri) & 7, rest: text.slice(end + 1) }
}

/** MSG of `1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]`, or null when it is something else. */
const rfc5424Message = (text: string): string | null => {
  let at = 0
  for (let field = 0; field < 6; field++) {
    at = text.indexOf(" ", at) + 1
    if (at === 0) return null
  }
  if (text[at] === "-") return text.slice(at + 1).trimStart()
  while (text[at] === "[") {
    const end = endOfElement(text, at)
    if (end < 0) return null
    at = end
  }
  return text[at] === undefined || text[at] === " " ? text.slice(at).trimStart() : null
}

/** Behind the `]` of a structured data element; quoted values may hold `\]` and `\"`. -1 = it never ends. */
const endOfElement = (text: string, from: number): number => {
  let quoted = false
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at]
    if (char === "\\" && quoted) at++
    else if (char === '"') quoted = !quoted
    else if (char === "]" && !quoted) return at + 1
  }
  return -1
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"

/** What follows `Oct  2 16:51:21 `, `2025-01-15T14:23:45Z ` or `2025-01-15 14:23:45 `; null when no time opens the text. */
const afterTimestamp = (text: string): string | null => {
  const month = MONTHS.indexOf(text.slice(0, 3))
  // Long enough for every form, short enough that the pattern's work is bounded.
  const head = text.slice(0, 48)
  const match =
    month >= 0 && month % 3 === 0
      ? /^[A-Z][a-z]{2} [ 0-9]?[0-9] (?:[0-9]{4} )?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?:? /.exec(head)
      : /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?:? /.exec(
          head,
        )
  return match === null ? null : text.slice(match[0].length)
}

/** Drops the host name, which is the sender's own idea: the device is known by its address. */
const afterHost = (text: string): string => {
  const space = text.indexOf(" ")
  const first = space < 0 ? text : text.slice(0, space)
  // Some send no host: then the first word is already the topics, a tag or a mnemonic.
  if (space < 0 || first.endsWith(":") || first.startsWith("%") || topicsOf(first, false) !== null) return text
  return text.slice(space + 1).trimStart()
}

const withTopics = (severity: number | null, text: string, bare: boolean): SyslogLine => {
  if (text.startsWith("CEF:")) return cefLine(severity, text)
  const space = text.indexOf(" ")
  const topics = space < 0 ? null : topicsOf(text.slice(0, space), bare)
  if (topics === null) return { severity: severity ?? DEFAULT_SEVERITY, topics: [], message: text }
  return { severity: severity ?? severityOf(topics), topics, message: text.slice(space + 1).trimStart() }
}

/** Null when the word is not a list of RouterOS topics. One single word counts only where nothing else can stand. */
const topicsOf = (word: string, bare: boolean): readonly string[] | null => {
  if (word.length > 128) return null
  const topics = (word.endsWith(":") ? word.slice(0, -1) : word).split(",")
  if (topics.length === 1 && !bare) return null
  return topics.every((topic) => TOPICS.has(topic)) ? topics : null
}

const severityOf = (topics: readonly string[]): number => {
  const known = topics.map((topic) => TOPIC_SEVERITY.get(topic)).filter((severity) => severity !== undefined)
  return known.length === 0 ? DEFAULT_SEVERITY : Math.min(...known)
}

/** Extension keys that RouterOS writes after `msg=`; a message's own `word=` is not one of them. */
const CEF_KEYS = [
  " app=",
  " duser=",
  " suser=",
  " outcome=",
  " src=",
  " dst=",
  " spt=",
  " dpt=",
  " proto=",
  " in=",
  " act=",
]

/** `CEF:0|vendor|product|version|id|name|severity|extension`; RouterOS puts its topics into the name. */
const cefLine = (severity: number | null, text: string): SyslogLine => {
  const fields: string[] = []
  let from = 0
  for (let at = 0; at < text.length && fields.length < 7; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === "|") {
      fields.push(text.slice(from, at))
      from = at + 1
    }
  }
  const topics = fields.length < 7 ? null : topicsOf(fields[5] ?? "", true)
  const extension = text.slice(from)
  const start = extension.startsWith("msg=") ? 4 : extension.indexOf(" msg=") + 5
  if (fields.length < 7 || start < 4 || (start === 4 && !extension.startsWith("msg=")))
    return { severity: severity ?? DEFAULT_SEVERITY, topics: topics ?? [], message: text }
  const ends = CEF_KEYS.map((key) => extension.indexOf(key, start)).filter((end) => end >= 0)
  const message = extension
    .slice(start, Math.min(extension.length, ...ends))
    .replaceAll("\\=", "=")
    .replaceAll("\\\\", "\\")
  return { severity: severity ?? severityOf(topics ?? []), topics: topics ?? [], message: message.trim() }
}
