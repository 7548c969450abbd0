/**
 * A RouterOS API session that is connected: tagged commands side by side, streams that go on, and an end to every one
 * of them. Whatever the peer does, a command settles: with its answer, a `!trap`, its deadline, or the end of the
 * session (notes/hostile.md section 2, M1-M17). Source: help.mikrotik.com, "API".
 */
import type * as net from "node:net"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Reply, Row } from "#engine/collectors/routeros/reply.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import { parseReply } from "#engine/collectors/routeros/reply.ts"
import { encodeSentence, makeSentenceDecoder } from "#engine/collectors/routeros/words.ts"
import { deviceText } from "#engine/collectors/device-text.ts"

/** The router refused the user or password, or showed another certificate than the pinned one. */
export class RouterOsAuthFailed extends Data.TaggedError("RouterOsAuthFailed")<{ readonly detail: string }> {}
/** The router refused one command (`!trap`); the session goes on. */
export class RouterOsTrap extends Data.TaggedError("RouterOsTrap")<{
  readonly command: string
  readonly detail: string
}> {}
/** The connection could not be made or has ended. `refused`: the router said no; otherwise nobody answered. */
export class RouterOsClosed extends Data.TaggedError("RouterOsClosed")<{
  readonly detail: string
  readonly refused: boolean
}> {}
/** No complete answer within the deadline. */
export class RouterOsTimeout extends Data.TaggedError("RouterOsTimeout")<{
  readonly command: string
  readonly deadlineMs: number
}> {}
/** Bytes or answers that no router sends, or more of them than the caps allow. The session is over. */
export class RouterOsProtocol extends Data.TaggedError("RouterOsProtocol")<{ readonly detail: string }> {}
export type RouterOsError = RouterOsAuthFailed | RouterOsTrap | RouterOsClosed | RouterOsTimeout | RouterOsProtocol

/** Commands in flight on one session; one more is refused with RouterOsProtocol (a bug of the caller). */
export const MAX_IN_FLIGHT = 16
/** Rows of one answer; more end the session. A full BNG's interface list is a third of it. */
export const MAX_ROWS = 65_536
/** Bytes of one answer's words, as characters; more end the session. */
export const MAX_ANSWER_CHARS = 64 << 20

/** A refused login is over at its `!trap`: some routers close without the `!done`. */
export const LOGIN = "/login"

export interface Answer {
  readonly rows: readonly Row[]
  /** Attributes of `!done`, e.g. `ret` of a count-only print. */
  readonly done: Row
}

export interface RouterOsSession {
  /**
   * Runs one command, e.g. `["/interface/print", "=.proplist=name"]`. Interrupting it (or its deadline) sends
   * `/cancel`; what the router still answers is dropped.
   */
  readonly command: (words: Sentence, deadlineMs: number) => Effect.Effect<Answer, RouterOsError>
  /**
   * Runs a command that goes on until it is stopped (`listen`, `follow-only`): `heard` gets each row, `ended` is called
   * once, with the reason, unless the returned function stopped it first. Neither may throw. Counts as in flight.
   */
  readonly follow: (words: Sentence, heard: (row: Row) => void, ended: (why: RouterOsError) => void) => () => void
  /** Ends the session; what is in flight fails with RouterOsClosed. Idempotent. */
  readonly close: () => void
  readonly isOpen: () => boolean
  /** SHA-256 of the certificate, `AA:BB:...`; null without TLS. */
  readonly fingerprint: string | null
  readonly counters: { readonly unknownTags: () => number; readonly lateReplies: () => number }
}

// --- sentences to commands

interface Pending {
  readonly command: string
  readonly rows: Row[]
  chars: number
  trap: string | null
  /** Takes the rows as they come; null = they are kept for the answer. */
  readonly heard: ((row: Row) => void) | null
  readonly settle: (result: Answer | RouterOsError) => void
}

export const makeSession = (socket: net.Socket, fingerprint: string | null): RouterOsSession => {
  const decoder = makeSentenceDecoder()
  const pending = new Map<string, Pending>()
  let nextTag = 1
  let ended: RouterOsError | null = null
  let unknownTags = 0
  let lateReplies = 0

  const end = (why: RouterOsError): void => {
    if (ended !== null) return
    ended = why
    socket.destroy()
    const waiting = [...pending.values()]
    pending.clear()
    for (const entry of waiting) entry.settle(why)
  }

  const handle = (reply: Reply): void => {
    if (reply.word === "!fatal") {
      const reason = deviceText(reply.text ?? reply.attributes.get("message") ?? "no reason given")
      return end(new RouterOsClosed({ detail: `the router ended the session: ${reason}`, refused: true }))
    }
    const entry = reply.tag === null ? undefined : pending.get(reply.tag)
    if (entry === undefined) {
      // Tags are given out in order, so a lower one belonged to a command that was cancelled or timed out.
      if (isPastTag(reply.tag, nextTag)) lateReplies++
      else unknownTags++
      return
    }
    const fault = take(entry, reply)
    if (fault !== null) end(new RouterOsProtocol({ detail: fault }))
    else if (reply.word === "!done" || (reply.word === "!trap" && entry.command === LOGIN)) {
      pending.delete(reply.tag as string)
      entry.settle(settled(entry, reply.attributes))
    }
  }

  socket.on("data", (chunk: Buffer) => {
    const sentences: Sentence[] = []
    const fault = decoder.push(chunk, (sentence) => sentences.push(sentence))
    // Settling a command runs its fiber here and now; it may end the session, and then the rest is nobody's.
    for (const sentence of sentences) if (ended === null) handle(parseReply(sentence))
    if (fault !== null) end(new RouterOsProtocol({ detail: `the router sent ${fault}` }))
  })
  socket.on("error", (error) => end(closedBy(error)))
  socket.on("close", () => end(new RouterOsClosed({ detail: "the router closed the session", refused: true })))

  const send = (words: Sentence, tag: string): void => {
    socket.write(encodeSentence([...words, `.tag=${tag}`]))
  }

  /** Why no further command can start now, or null. */
  const refusal = (): RouterOsError | null => {
    if (ended !== null) return ended
    if (pending.size < MAX_IN_FLIGHT) return null
    return new RouterOsProtocol({ detail: `${MAX_IN_FLIGHT} commands are in flight already` })
  }

  /** The router is asked to stop; what it still says has no taker. */
  const cancel = (tag: string): void => {
    if (pending.delete(tag) && ended === null) send(["/cancel", `=tag=${tag}`], String(nextTag++))
  }

  const command = (words: Sentence, deadlineMs: number): Effect.Effect<Answer, RouterOsError> =>
    Effect.callback<Answer, RouterOsError>((resume) => {
      const refused = refusal()
      if (refused !== null) return resume(Effect.fail(refused))
      const name = words[0] ?? ""
      const tag = String(nextTag++)
      const forget = (): void => {
        clearTimeout(timer)
        cancel(tag)
      }
      const timer = setTimeout(() => {
        forget()
        resume(Effect.fail(new RouterOsTimeout({ command: name, deadlineMs })))
      }, deadlineMs)
      pending.set(tag, {
        command: name,
        rows: [],
        chars: 0,
        trap: null,
        heard: null,
        settle: (result) => {
          clearTimeout(timer)
          resume(isAnswer(result) ? Effect.succeed(result) : Effect.fail(result))
        },
      })
      send(words, tag)
      return Effect.sync(forget)
    })

  const follow: RouterOsSession["follow"] = (words, heard, over) => {
    const refused = refusal()
    if (refused !== null) {
      over(refused)
      return () => undefined
    }
    const name = words[0] ?? ""
    const tag = String(nextTag++)
    let live = true
    const settle = (result: Answer | RouterOsError): void => {
      if (live) over(isAnswer(result) ? new RouterOsTrap({ command: name, detail: "the router ended it" }) : result)
      live = false
    }
    pending.set(tag, { command: name, rows: [], chars: 0, trap: null, heard, settle })
    send(words, tag)
    return () => {
      live = false
      cancel(tag)
    }
  }

  return {
    command,
    follow,
    close: () => end(new RouterOsClosed({ detail: "the session was closed here", refused: false })),
    isOpen: () => ended === null,
    fingerprint,
    counters: { unknownTags: () => unknownTags, lateReplies: () => lateReplies },
  }
}

/** Adds a reply to its command; says what is wrong with it, or null. */
const take = (entry: Pending, reply: Reply): string | null => {
  if (reply.word === "!re" && entry.heard !== null) entry.heard(reply.attributes)
  else if (reply.word === "!re") {
    entry.rows.push(reply.attributes)
    for (const [name, value] of reply.attributes) entry.chars += name.length + value.length
    if (entry.rows.length > MAX_ROWS) return `more than ${MAX_ROWS} rows answer ${entry.command}`
    if (entry.chars > MAX_ANSWER_CHARS) return `more than ${MAX_ANSWER_CHARS} characters answer ${entry.command}`
  } else if (reply.word === "!trap") {
    // The first trap says why; a `!done` follows. (`/cancel` makes another one of category 2: interrupted.)
    entry.trap ??= deviceText(reply.attributes.get("message") ?? "no reason given")
  }
  // `!empty` (RouterOS 7.18 and later) says that there are no rows; other words are a newer router's business.
  return null
}

const settled = (entry: Pending, done: Row): Answer | RouterOsError =>
  entry.trap === null ? { rows: entry.rows, done } : new RouterOsTrap({ command: entry.command, detail: entry.trap })

const isAnswer = (result: Answer | RouterOsError): result is Answer => !("_tag" in result)

const isPastTag = (tag: string | null, nextTag: number): boolean => {
  if (tag === null || !/^[1-9][0-9]{0,14}$/.test(tag)) return false
  return Number(tag) < nextTag
}

/** What a socket error means, without the addresses that its own words hold. */
export const closedBy = (error: Error): RouterOsClosed => {
  const code = (error as NodeJS.ErrnoException).code ?? error.name
  const silent = code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "ETIMEDOUT" || code === "EHOSTDOWN"
  const words: Record<string, string> = {
    ECONNREFUSED: "connection refused: is the API service enabled, and this address allowed?",
    ECONNRESET: "the router reset the connection",
    EHOSTUNREACH: "no route to the router",
    ENETUNREACH: "no route to the router's network",
  }
  return new RouterOsClosed({ detail: words[code] ?? `connection failed (${code})`, refused: !silent })
}
