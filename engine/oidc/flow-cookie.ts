/**
 * What is remembered between the way to the issuer and the way back: state, nonce and PKCE verifier. It stands in the
 * browser's cookie, sealed by a key of this process, so that a million visits that never come back cost no memory here.
 * All three derive from one random seed. After a restart, or on another engine, an unfinished sign-in is begun again.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto"
import { readCookie } from "#engine/http/cookie.ts"

/** From leaving to coming back, the person's typing at the issuer included. */
export const FLOW_MS = 10 * 60_000
/** Flows remembered as finished until they expire; past it the oldest makes room. */
const FINISHED_MAX = 10_000

export interface Flow {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface FlowCookies {
  /** A new flow, and the Set-Cookie that carries it. */
  readonly begin: () => { readonly flow: Flow; readonly setCookie: string }
  /** The flow of this Cookie header; null when there is none, it is not ours, it is too old, or it was finished before. */
  readonly finish: (header: string | undefined) => Flow | null
  /** The Set-Cookie that removes it. */
  readonly cleared: string
}

const NAME = "heliograph_oidc"
const SEED_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const AAD = Buffer.from("heliograph oidc flow")

export const makeFlowCookies = (https: boolean, nowMs: () => number): FlowCookies => {
  const key = randomBytes(32)
  // Its value crosses from the issuer's site by a link (Lax); the session's own cookie stays Strict.
  const name = https ? `__Host-${NAME}` : NAME
  const attributes = `Path=/; HttpOnly; SameSite=Lax${https ? "; Secure" : ""}`
  const finished = new Map<string, number>()
  return {
    begin: () => {
      const seed = randomBytes(SEED_BYTES)
      const value = seal(key, seed, nowMs() + FLOW_MS)
      return { flow: flowOf(seed), setCookie: `${name}=${value}; Max-Age=${FLOW_MS / 1000}; ${attributes}` }
    },
    finish: (header) => {
      const value = readCookie(header, name)
      const opened = value === null ? null : open(key, value)
      if (opened === null || opened.untilMs <= nowMs()) return null
      const flow = flowOf(opened.seed)
      if (finished.has(flow.state)) return null
      remember(finished, flow.state, opened.untilMs, nowMs())
      return flow
    },
    cleared: `${name}=; Max-Age=0; ${attributes}`,
  }
}

/** Insertion order is about the order of expiry. */
const remember = (finished: Map<string, number>, state: string, untilMs: number, nowMs: number): void => {
  finished.set(state, untilMs)
  for (const [old, oldUntilMs] of finished) {
    if (oldUntilMs > nowMs && finished.size <= FINISHED_MAX) break
    finished.delete(old)
  }
}

const flowOf = (seed: Buffer): Flow => {
  const part = (label: string): string => createHmac("sha256", seed).update(label).digest("base64url")
  return { state: part("state"), nonce: part("nonce"), verifier: part("verifier") }
}

const seal = (key: Buffer, seed: Buffer, untilMs: number): string => {
  const plain = Buffer.alloc(SEED_BYTES + 6)
  seed.copy(plain)
  plain.writeUIntBE(untilMs, SEED_BYTES, 6)
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES }).setAAD(AAD)
  const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final()])
  return Buffer.concat([sealed, cipher.getAuthTag()]).toString("base64url")
}

const open = (key: Buffer, value: string): { readonly seed: Buffer; readonly untilMs: number } | null => {
  const bytes = Buffer.from(value, "base64url")
  if (bytes.length !== IV_BYTES + SEED_BYTES + 6 + TAG_BYTES) return null
  try {
    const iv = bytes.subarray(0, IV_BYTES)
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES }).setAAD(AAD)
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
    return { seed: plain.subarray(0, SEED_BYTES), untilMs: plain.readUIntBE(SEED_BYTES, 6) }
  } catch {
    return null
  }
}
