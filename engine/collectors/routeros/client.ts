/**
 * One RouterOS API session (TCP 8728 or TLS 8729): login, tagged commands side by side, and an end to every one of
 * them. Written because node-routeros 1.6.9 crashes on RouterOS 7.18's `!empty` and leaves promises hanging
 * (notes/hostile.md section 2, M1-M17). Whatever the peer does, a command settles: with its answer, a `!trap`, its
 * deadline, or the end of the session. Source: help.mikrotik.com, "API".
 */
import * as net from "node:net"
import * as tls from "node:tls"
import { createHash } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RouterOsCredential } from "#engine/collectors/target.ts"
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
const LOGIN = "/login"

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
  /** Ends the session; what is in flight fails with RouterOsClosed. Idempotent. */
  readonly close: () => void
  readonly isOpen: () => boolean
  /** SHA-256 of the certificate, `AA:BB:...`; null without TLS. */
  readonly fingerprint: string | null
  readonly counters: { readonly unknownTags: () => number; readonly lateReplies: () => number }
}

export interface ConnectOptions {
  /** IP literal. */
  readonly address: string
  readonly credential: RouterOsCredential
  /** For TCP, TLS and login together. */
  readonly deadlineMs: number
}

/** Connects and logs in; the scope's end closes the session. */
export const connectScoped = (options: ConnectOptions): Effect.Effect<RouterOsSession, RouterOsError, Scope.Scope> =>
  Effect.acquireRelease(connect(options), (session) => Effect.sync(session.close), { interruptible: true })

/** Connects and logs in. The caller closes the session; a failure or an interruption before that leaves no socket. */
export const connect = (options: ConnectOptions): Effect.Effect<RouterOsSession, RouterOsError> =>
  Effect.suspend(() => {
    const deadlineAt = performance.now() + options.deadlineMs
    let opened: RouterOsSession | null = null
    const loggedIn = Effect.gen(function* () {
      const session = yield* openSession(options, (session) => (opened = session))
      yield* login(session, options.credential, Math.max(1, Math.ceil(deadlineAt - performance.now())))
      return session
    })
    return Effect.onError(loggedIn, () => Effect.sync(() => opened?.close()))
  })

// --- login

/**
 * The plain login of RouterOS 6.43 and later. An older router answers it with a challenge (`=ret=`), and so can anybody
 * in the middle who wants the weaker login: the MD5 answer is given only when the credential allows it, and then the
 * challenge is asked for first, so that an old router is never sent the plain password over TCP.
 */
const login = (session: RouterOsSession, credential: RouterOsCredential, deadlineMs: number) =>
  Effect.gen(function* () {
    const legacy = credential.allowLegacyLogin === true
    const challenge =
      legacy && !credential.tls
        ? yield* askChallenge(session, deadlineMs)
        : yield* loginAnswer(session, plainLogin(credential), deadlineMs)
    if (challenge === null) {
      if (!legacy || credential.tls) return
      const second = yield* loginAnswer(session, plainLogin(credential), deadlineMs)
      if (second !== null)
        return yield* new RouterOsProtocol({ detail: "the router asked for a login challenge twice" })
      return
    }
    if (!legacy) {
      const detail = "the router asks for the login of RouterOS < 6.43; upgrade it, or allow the legacy login"
      return yield* new RouterOsAuthFailed({ detail })
    }
    const response = challengeResponse(credential.password, challenge)
    if (response === null) return yield* new RouterOsProtocol({ detail: "the login challenge is not 32 hex digits" })
    const last = yield* loginAnswer(session, [LOGIN, `=name=${credential.user}`, `=response=${response}`], deadlineMs)
    if (last !== null) return yield* new RouterOsProtocol({ detail: "the router asked for a login challenge twice" })
  }).pipe(Effect.catchTag("RouterOsTrap", (trap) => Effect.fail(new RouterOsAuthFailed({ detail: trap.detail }))))

/** Null = logged in; otherwise the challenge. */
const loginAnswer = (session: RouterOsSession, words: Sentence, deadlineMs: number) =>
  Effect.flatMap(session.command(words, deadlineMs), (answer) =>
    answer.rows.length > 0
      ? Effect.fail(new RouterOsProtocol({ detail: "the login was answered with rows" }))
      : Effect.succeed(answer.done.get("ret") ?? null),
  )

/** Null = a modern router, which takes a login without a name for a failed one. */
const askChallenge = (session: RouterOsSession, deadlineMs: number) =>
  Effect.catchTag(loginAnswer(session, [LOGIN], deadlineMs), "RouterOsTrap", () => Effect.succeed(null))

const plainLogin = (credential: RouterOsCredential): Sentence => [
  LOGIN,
  `=name=${credential.user}`,
  `=password=${credential.password}`,
]

/** `00` + hex MD5 of a zero byte, the password and the challenge. Null when the challenge is not hex of 16 bytes. */
export const challengeResponse = (password: string, challenge: string): string | null => {
  if (!/^[0-9a-fA-F]{32}$/.test(challenge)) return null
  const digest = createHash("md5").update(Buffer.of(0)).update(password, "utf8").update(Buffer.from(challenge, "hex"))
  return `00${digest.digest("hex")}`
}

// --- connecting

/** `opened` is told at once, so that an interruption before the fiber hears of the session can still close it. */
const openSession = (
  options: ConnectOptions,
  opened: (session: RouterOsSession) => void,
): Effect.Effect<RouterOsSession, RouterOsError> =>
  Effect.callback<RouterOsSession, RouterOsError>((resume) => {
    const { address, credential, deadlineMs } = options
    const socket = credential.tls
      ? tls.connect({ host: address, port: credential.port, rejectUnauthorized: false, minVersion: "TLSv1.2" })
      : net.connect({ host: address, port: credential.port })
    const fail = (error: RouterOsError): void => {
      clearTimeout(timer)
      socket.destroy()
      resume(Effect.fail(error))
    }
    const timer = setTimeout(() => fail(new RouterOsTimeout({ command: "connect", deadlineMs })), deadlineMs)
    // Stays for the socket's whole life: an error without a listener would end the process (M8).
    socket.on("error", (error) => fail(closedBy(error)))
    socket.once("close", () => fail(new RouterOsClosed({ detail: "the router closed the connection", refused: true })))
    socket.once(credential.tls ? "secureConnect" : "connect", () => {
      const fingerprint =
        socket instanceof tls.TLSSocket ? (socket.getPeerX509Certificate()?.fingerprint256 ?? null) : null
      const wrong = credential.tls ? checkPin(fingerprint, credential.fingerprint) : null
      if (wrong !== null) return fail(new RouterOsAuthFailed({ detail: wrong }))
      clearTimeout(timer)
      socket.removeAllListeners("error")
      socket.removeAllListeners("close")
      socket.setNoDelay(true)
      const session = makeSession(socket, fingerprint)
      opened(session)
      resume(Effect.succeed(session))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      socket.removeAllListeners("close")
      socket.destroy()
    })
  })

/** Says what is wrong with the certificate, or null. Without a pin any certificate will do: the caller pins it then. */
const checkPin = (seen: string | null, pinned: string | undefined): string | null => {
  if (seen === null) return "the router showed no certificate; set one for api-ssl"
  if (pinned === undefined || seen.toUpperCase() === pinned.toUpperCase()) return null
  return `the router's certificate changed: pinned ${pinned}, seen ${seen}; check who answers, then remove the old pin`
}

const closedBy = (error: Error): RouterOsClosed => {
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

// --- the session

interface Pending {
  readonly command: string
  readonly rows: Row[]
  chars: number
  trap: string | null
  readonly settle: (result: Effect.Effect<Answer, RouterOsError>) => void
}

const makeSession = (socket: net.Socket, fingerprint: string | null): RouterOsSession => {
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
    for (const entry of waiting) entry.settle(Effect.fail(why))
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

  const command = (words: Sentence, deadlineMs: number): Effect.Effect<Answer, RouterOsError> =>
    Effect.callback<Answer, RouterOsError>((resume) => {
      if (ended !== null) return resume(Effect.fail(ended))
      if (pending.size >= MAX_IN_FLIGHT) {
        return resume(Effect.fail(new RouterOsProtocol({ detail: `${MAX_IN_FLIGHT} commands are in flight already` })))
      }
      const name = words[0] ?? ""
      const tag = String(nextTag++)
      const forget = (): void => {
        clearTimeout(timer)
        if (!pending.delete(tag) || ended !== null) return
        send(["/cancel", `=tag=${tag}`], String(nextTag++))
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
        settle: (result) => {
          clearTimeout(timer)
          resume(result)
        },
      })
      send(words, tag)
      return Effect.sync(forget)
    })

  return {
    command,
    close: () => end(new RouterOsClosed({ detail: "the session was closed here", refused: false })),
    isOpen: () => ended === null,
    fingerprint,
    counters: { unknownTags: () => unknownTags, lateReplies: () => lateReplies },
  }
}

/** Adds a reply to its command; says what is wrong with it, or null. */
const take = (entry: Pending, reply: Reply): string | null => {
  if (reply.word === "!re") {
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

const settled = (entry: Pending, done: Row): Effect.Effect<Answer, RouterOsError> =>
  entry.trap === null
    ? Effect.succeed({ rows: entry.rows, done })
    : Effect.fail(new RouterOsTrap({ command: entry.command, detail: entry.trap }))

const isPastTag = (tag: string | null, nextTag: number): boolean => {
  if (tag === null || !/^[1-9][0-9]{0,14}$/.test(tag)) return false
  return Number(tag) < nextTag
}
