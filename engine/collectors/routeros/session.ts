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
export const MAX_IN_FLIGHT = 20
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
  const session = new Session(socket)
  return {
    command: session.command,
    follow: session.follow,
    close: () => session.end(new RouterOsClosed({ detail: "the session was closed here", refused: false })),
    isOpen: () => session.ended === null,
    fingerprint,
    counters: { unknownTags: () => session.unknownTags, lateReplies: () => session.lateReplies },
  }
}

class Session {
  ended: RouterOsError | null = null
  unknownTags = 0
  lateReplies = 0
  private readonly socket: net.Socket
  private readonly decoder = makeSentenceDecoder()
  private readonly pending = new Map<string, Pending>()
  private nextTag = 1

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on("data", (chunk: Buffer) => this.received(chunk))
    socket.on("error", (error) => this.end(closedBy(error)))
    socket.on("close", () => this.end(new RouterOsClosed({ detail: "the router closed the session", refused: true })))
  }

  readonly command: RouterOsSession["command"] = (words, deadlineMs) =>
    Effect.callback<Answer, RouterOsError>((resume) => {
      const refused = this.refusal()
      if (refused !== null) return resume(Effect.fail(refused))
      const command = words[0] ?? ""
      const settle = (result: Answer | RouterOsError): void => {
        clearTimeout(timer)
        resume(isAnswer(result) ? Effect.succeed(result) : Effect.fail(result))
      }
      const tag = this.start(words, { command, rows: [], chars: 0, trap: null, heard: null, settle })
      const forget = (): void => {
        clearTimeout(timer)
        this.cancel(tag)
      }
      const timer = setTimeout(() => {
        forget()
        resume(Effect.fail(new RouterOsTimeout({ command, deadlineMs })))
      }, deadlineMs)
      return Effect.sync(forget)
    })

  readonly follow: RouterOsSession["follow"] = (words, heard, ended) => {
    const refused = this.refusal()
    if (refused !== null) {
      ended(refused)
      return () => undefined
    }
    const command = words[0] ?? ""
    // A command that was cancelled is pending no more, so nobody settles it.
    const settle = (result: Answer | RouterOsError): void =>
      ended(isAnswer(result) ? new RouterOsTrap({ command, detail: "the router ended it" }) : result)
    const tag = this.start(words, { command, rows: [], chars: 0, trap: null, heard, settle })
    return () => this.cancel(tag)
  }

  /** Fails every command in flight. Idempotent. */
  end(why: RouterOsError): void {
    if (this.ended !== null) return
    this.ended = why
    this.socket.destroy()
    for (const [tag, entry] of this.pending) {
      this.pending.delete(tag)
      entry.settle(why)
    }
  }

  /** Why no further command can start now, or null. */
  private refusal(): RouterOsError | null {
    if (this.ended !== null) return this.ended
    if (this.pending.size < MAX_IN_FLIGHT) return null
    return new RouterOsProtocol({ detail: `${MAX_IN_FLIGHT} commands are in flight already` })
  }

  private start(words: Sentence, entry: Pending): string {
    const tag = String(this.nextTag++)
    this.pending.set(tag, entry)
    this.send(words, tag)
    return tag
  }

  /** The router is asked to stop; what it still says has no taker. */
  private cancel(tag: string): void {
    if (this.pending.delete(tag) && this.ended === null) this.send(["/cancel", `=tag=${tag}`], String(this.nextTag++))
  }

  private send(words: Sentence, tag: string): void {
    this.socket.write(encodeSentence([...words, `.tag=${tag}`]))
  }

  private received(chunk: Buffer): void {
    const sentences: Sentence[] = []
    const fault = this.decoder.push(chunk, (sentence) => sentences.push(sentence))
    // Settling a command runs its fiber here and now; it may end the session, and then the rest is nobody's.
    for (const sentence of sentences) if (this.ended === null) this.handle(parseReply(sentence))
    if (fault !== null) this.end(new RouterOsProtocol({ detail: `the router sent ${fault}` }))
  }

  private handle(reply: Reply): void {
    if (reply.word === "!fatal") {
      const reason = deviceText(reply.text ?? reply.attributes.get("message") ?? "no reason given")
      return this.end(new RouterOsClosed({ detail: `the router ended the session: ${reason}`, refused: true }))
    }
    const entry = reply.tag === null ? undefined : this.pending.get(reply.tag)
    if (entry === undefined) {
      // Tags are given out in order, so a lower one belonged to a command that was cancelled or timed out.
      if (isPastTag(reply.tag, this.nextTag)) this.lateReplies++
      else this.unknownTags++
      return
    }
    const fault = take(entry, reply)
    if (fault !== null) this.end(new RouterOsProtocol({ detail: fault }))
    else if (reply.word === "!done" || (reply.word === "!trap" && entry.command === LOGIN)) {
      this.pending.delete(reply.tag as string)
      entry.settle(settled(entry, reply.attributes))
    }
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
