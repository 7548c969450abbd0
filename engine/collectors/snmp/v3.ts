/**
 * SNMP v3 client: net-snmp speaks USM, behind the gate. The library never sees a password: it gets random handles, and
 * the keys that belong to them are put into its key cache when the gate lets the engine's Report through. So its errors
 * (which print keys) and its cache (which keeps pass-phrases) hold nothing, and it never hashes 1 MiB on the main thread.
 * Its values pass our strict decoder once more, because what was encrypted the gate could not see.
 */
import { randomUUID } from "node:crypto"
import { performance } from "node:perf_hooks"
import snmp from "net-snmp"
import type { AuthProtocol, PrivProtocol, SnmpV3Credential } from "#engine/collectors/target.ts"
import type { Message } from "#engine/collectors/snmp/ber.ts"
import { decodeScopedPdu, PDU } from "#engine/collectors/snmp/ber.ts"
import type { SnmpClient } from "#engine/collectors/snmp/client.ts"
import { answersBulk, answersGet, SnmpFailed, snmpFailed } from "#engine/collectors/snmp/client.ts"
import type { OutVarbind } from "#engine/collectors/snmp/encode.ts"
import { encodeScopedPdu } from "#engine/collectors/snmp/encode.ts"
import type { DropReason, GateCounts, GatedDgram } from "#engine/collectors/snmp/gate.ts"
import { admitV3, gatedDgram } from "#engine/collectors/snmp/gate.ts"
import { mendDes } from "#engine/collectors/snmp/net-snmp-des.ts"
import type { Oid } from "#engine/collectors/snmp/oid.ts"
import { oid, oidText } from "#engine/collectors/snmp/oid.ts"
import type { UdpPool } from "#engine/collectors/snmp/udp.ts"
import { localise, passwordKey, reederRound, verify } from "#engine/collectors/snmp/usm.ts"
import type { Varbinds } from "#engine/collectors/snmp/varbinds.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

export interface V3Options {
  readonly pool: UdpPool
  readonly address: string
  readonly port: number
  readonly credential: SnmpV3Credential
  readonly counts: GateCounts
  /** Tolerate trailing padding and over-long integers of this device. */
  readonly lenient?: boolean
}

/** Repeats after the first send of each message, waits doubling; MAX_PACKETS_PER_REQUEST bounds them together. */
const RETRIES = 2
const FIRST_WAIT_MS = 1_000

export const v3Client = (options: V3Options): SnmpClient => {
  const user = usmUser(options.credential)
  let session: V3Session | null = null
  let busy = false
  let isOpen = true
  let interrupt: ((failure: SnmpFailed) => void) | null = null

  const drop = (): void => {
    session?.close()
    session = null
  }

  /** One library call, ended by its answer, its deadline or cancel(), whichever comes first. */
  const call = (untilMs: number, start: (library: LibrarySession, done: LibraryCallback) => void): Promise<unknown> =>
    new Promise((resolve, reject) => {
      session ??= openSession(options, user)
      const { library, dgram } = session
      const timer = setTimeout(() => fail(timedOut(dgram)), Math.max(1, untilMs - performance.now()))
      const end = (): void => {
        clearTimeout(timer)
        interrupt = null
      }
      const fail = (failure: SnmpFailed): void => {
        end()
        // A fresh session discovers the engine again: the way out of every confusion about keys, boots and time.
        if (failure.reason !== "status") drop()
        reject(failure)
      }
      interrupt = fail
      dgram.refill()
      const done: LibraryCallback = (error, answer) => {
        if (interrupt !== fail) return
        if (error !== null && error !== undefined) return fail(failureOf(error, dgram))
        end()
        resolve(answer)
      }
      try {
        start(library, done)
      } catch (error) {
        done(error)
      }
    })

  const ask = async (
    untilMs: number,
    start: (library: LibrarySession, done: LibraryCallback) => void,
    accepts: (answer: Varbinds) => boolean,
  ): Promise<Varbinds> => {
    if (!isOpen) throw snmpFailed("closed", "the session is closed")
    if (busy) throw snmpFailed("protocol", "a request is already in flight")
    busy = true
    try {
      await user.ready
      if (!isOpen) throw snmpFailed("closed", "the session is closed")
      if (performance.now() >= untilMs) throw snmpFailed("timeout", "no time left before the deadline")
      const answer = rebuilt(await call(untilMs, start))
      if (answer !== null && accepts(answer)) return answer
      options.counts.dropped.answer++
      throw snmpFailed("protocol", "an answer with other objects or malformed values")
    } finally {
      busy = false
    }
  }

  return {
    get: (oids, untilMs) =>
      ask(
        untilMs,
        (library, done) => library.get(texts(oids), done),
        (answer) => answersGet(oids, answer),
      ),
    bulk: (nonRepeaters, maxRepetitions, oids, untilMs) =>
      ask(
        untilMs,
        (library, done) => library.getBulk(texts(oids), nonRepeaters, maxRepetitions, done),
        (answer) => answersBulk(oids.length, nonRepeaters, maxRepetitions, answer),
      ),
    cancel: () => interrupt?.(snmpFailed("closed", "the request was cancelled")),
    close: () => {
      isOpen = false
      interrupt?.(snmpFailed("closed", "the session is closed"))
      drop()
    },
  }
}

const texts = (oids: readonly Oid[]): string[] => oids.map((one) => oidText(one))

/** A USM user with its slow keys; the passwords are not kept. */
interface UsmUser {
  readonly name: string
  readonly level: 0 | 1 | 3
  readonly authProtocol: AuthProtocol | null
  readonly privProtocol: PrivProtocol | null
  /** Settled when the keys below are there. */
  readonly ready: Promise<void>
  authKu: Buffer | null
  privKu: Buffer | null
}

const usmUser = (credential: SnmpV3Credential): UsmUser => {
  const { user, authProtocol = null, authPassword = "", privProtocol = null, privPassword = "" } = credential
  const level = authProtocol === null ? 0 : privProtocol === null ? 1 : 3
  const derive = async (): Promise<void> => {
    if (authProtocol === null) return
    made.authKu = await passwordKey(authProtocol, authPassword)
    if (privProtocol !== null) made.privKu = await passwordKey(authProtocol, privPassword)
  }
  const made: UsmUser = {
    name: user,
    level,
    authProtocol,
    privProtocol: level === 3 ? privProtocol : null,
    ready: Promise.resolve(),
    authKu: null,
    privKu: null,
  }
  const ready = derive()
  // Awaited by each request; this only keeps a failure from being "unhandled" before the first one.
  ready.catch(() => {})
  return Object.assign(made, { ready })
}

interface V3Session {
  readonly library: LibrarySession
  readonly dgram: GatedDgram
  readonly close: () => void
}

/** The parts of net-snmp's Session used here. */
interface LibrarySession {
  readonly get: (oids: string[], done: LibraryCallback) => void
  readonly getBulk: (oids: string[], nonRepeaters: number, maxRepetitions: number, done: LibraryCallback) => void
  readonly on: (event: "error", listener: () => void) => void
  readonly close: () => void
}
type LibraryCallback = (error: unknown, answer?: unknown) => void

const openSession = (options: V3Options, user: UsmUser): V3Session => {
  mendDes()
  const { pool, address, port, counts, lenient = false } = options
  const authHandle = randomUUID()
  const privHandle = randomUUID()
  const primed: string[] = []
  let engineId: Uint8Array | null = null
  let authKey: Buffer | null = null

  const admit = (bytes: Uint8Array): Message | DropReason => {
    const message = admitV3(bytes, { level: user.level, user: user.name, engineId, lenient })
    if (typeof message === "string" || message.v3 === null || (message.v3.flags & 1) === 0) return message
    // The library would fail the request on a forged digest; here it only costs the forger a packet.
    if (authKey === null || user.authProtocol === null) return "level"
    const { authOffset, authParams } = message.v3
    return verify({ protocol: user.authProtocol, key: authKey }, bytes, authOffset, authParams.length)
      ? message
      : "level"
  }

  const accepted = (message: Message): void => {
    if (engineId !== null || message.v3 === null) return
    engineId = Uint8Array.from(message.v3.engineId)
    if (user.authProtocol === null || user.authKu === null) return
    authKey = localise(user.authProtocol, user.authKu, engineId)
    primed.push(prime(user.authProtocol, authHandle, engineId, authKey))
    if (user.privProtocol === null || user.privKu === null) return
    primed.push(prime(user.authProtocol, privHandle, engineId, localise(user.authProtocol, user.privKu, engineId)))
    if (user.privProtocol === "aes256r") primed.push(primeReeder(user.authProtocol, user.privKu, engineId))
  }

  const dgram = gatedDgram({ pool, address, port, counts, admit, accepted })
  const library = snmp.createV3Session(address, libraryUser(user, authHandle, privHandle), {
    port,
    retries: RETRIES,
    timeout: FIRST_WAIT_MS,
    backoff: 2,
    idBitsSize: 32,
    engineID: OWN_ENGINE_ID,
    dgramModule: dgram,
  } as snmp.SessionOptionsV3) as unknown as LibrarySession
  library.on("error", () => {
    counts.dropped.library++
  })
  const close = (): void => {
    for (const name of primed) delete keyCache[name]
    library.close()
  }
  return { library, dgram, close }
}

/** A manager's own engine id is never authoritative and never sent; a constant spares the library making random ones. */
const OWN_ENGINE_ID = "8000000001020304"

const libraryUser = (user: UsmUser, authHandle: string, privHandle: string): snmp.User => {
  const level = { 0: snmp.SecurityLevel.noAuthNoPriv, 1: snmp.SecurityLevel.authNoPriv, 3: snmp.SecurityLevel.authPriv }
  return {
    name: user.name,
    level: level[user.level],
    ...(user.authProtocol === null ? {} : { authProtocol: snmp.AuthProtocols[user.authProtocol], authKey: authHandle }),
    ...(user.privProtocol === null ? {} : { privProtocol: snmp.PrivProtocols[user.privProtocol], privKey: privHandle }),
  } as snmp.User
}

const authentication = (
  snmp as unknown as {
    Authentication: {
      authToKeyCache: Record<string, Buffer>
      computeCacheKey: (protocol: number, password: unknown, engineId: Buffer) => string
    }
  }
).Authentication
/** Missing in the package's types. */
const errors = snmp as unknown as { readonly RequestTimedOutError: new () => Error }
const keyCache = authentication.authToKeyCache

/** Tells the library which key a handle has for an engine; returns the cache's name of it, for removal. */
const prime = (protocol: AuthProtocol, handle: unknown, engineId: Uint8Array, key: Buffer): string => {
  const name = authentication.computeCacheKey(snmp.AuthProtocols[protocol], handle, Buffer.from(engineId))
  keyCache[name] = key
  return name
}

/** Reeder's second round uses the first key as if it were a password; the library looks that up in the same cache. */
const primeReeder = (protocol: AuthProtocol, ku: Buffer, engineId: Uint8Array): string => {
  const first = localise(protocol, ku, engineId)
  return prime(protocol, first, engineId, reederRound(protocol, first, engineId))
}

/** What the library delivered, encoded and decoded by the strict codec; null when a value does not survive that. */
const rebuilt = (answer: unknown): Varbinds | null => {
  try {
    const varbinds = interleaved(answer).map(outVarbind)
    const pdu = decodeScopedPdu(encodeScopedPdu(new Uint8Array(0), PDU.response, 0, 0, 0, varbinds))
    return typeof pdu === "string" ? null : pdu.varbinds
  } catch {
    return null
  }
}

interface LibraryVarbind {
  readonly oid: string
  readonly type: number
  readonly value: unknown
}

/** GETBULK comes as one array per repeater: back to the order of the wire. */
const interleaved = (answer: unknown): LibraryVarbind[] => {
  const columns = answer as Array<LibraryVarbind | LibraryVarbind[]>
  const flat = columns.filter((one): one is LibraryVarbind => !Array.isArray(one))
  const repeaters = columns.filter((one): one is LibraryVarbind[] => Array.isArray(one))
  for (let row = 0; repeaters.some((column) => row < column.length); row++) {
    for (const column of repeaters) {
      const cell = column[row]
      if (cell !== undefined) flat.push(cell)
    }
  }
  return flat
}

const outVarbind = ({ oid: name, type, value }: LibraryVarbind): OutVarbind => {
  const base = { oid: oid(name), tag: type }
  if (type === TAG.counter64) {
    const bytes = value as Buffer
    if (bytes.length < 1 || bytes.length > 9) throw new RangeError("Counter64 size")
    return { ...base, value: BigInt(`0x${bytes.toString("hex")}`) }
  }
  if (type >= TAG.noSuchObject || type === TAG.null) return { ...base, value: null }
  return { ...base, value: value as OutVarbind["value"] }
}

/** Never the library's own text: it holds digests, keys and what the device said. */
const failureOf = (error: unknown, dgram: GatedDgram): SnmpFailed => {
  if (error instanceof errors.RequestTimedOutError) return timedOut(dgram)
  if (error instanceof snmp.RequestFailedError) {
    const status = (error as unknown as { status: number }).status
    return snmpFailed("status", `SNMP error-status ${status}`, status)
  }
  if (error instanceof snmp.ResponseInvalidError) {
    const { code, message } = error as unknown as { code: number; message: string }
    const said = USM_WORDS.find((words) => message.startsWith(words))
    if (said !== undefined) return snmpFailed("auth", `the agent reports: ${said}`)
    if (code === snmp.ResponseInvalidCode.ECouldNotDecrypt) return snmpFailed("auth", "the answer cannot be decrypted")
  }
  return snmpFailed("protocol", "the exchange went against RFC 3414")
}

/** net-snmp's names of usmStats (RFC 3414 s5). */
const USM_WORDS = [
  "Unsupported Security Level",
  "Not In Time Window",
  "Unknown User Name",
  "Unknown Engine ID",
  "Wrong Digest",
  "Decryption Error",
] as const

const timedOut = (dgram: GatedDgram): SnmpFailed => {
  const code = dgram.sendFault()
  if (code !== null) return snmpFailed("refused", `cannot send: ${code}`)
  return snmpFailed("timeout", "no answer (a wrong privacy password looks the same)")
}
