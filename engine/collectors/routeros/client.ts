/**
 * Opens a RouterOS API session (TCP 8728 or TLS 8729): connection, certificate pin, login; session.ts has what comes
 * after. Written because node-routeros 1.6.9 crashes on RouterOS 7.18's `!empty` and leaves promises hanging
 * (notes/hostile.md section 2). Source: help.mikrotik.com, "API".
 */
import * as net from "node:net"
import * as tls from "node:tls"
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RouterOsCredential } from "#engine/collectors/target.ts"
import type { RouterOsError, RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import {
  closedBy,
  LOGIN,
  makeSession,
  RouterOsAuthFailed,
  RouterOsClosed,
  RouterOsProtocol,
  RouterOsTimeout,
} from "#engine/collectors/routeros/session.ts"

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
