/**
 * Keeps the served certificate current: files that changed, or SIGHUP, are read again, and new handshakes get the new
 * pair while open connections go on (Server.setSecureContext). A pair that is no good is told and the old one kept; its
 * end is told 30, 7 and 1 days ahead. Renewal itself is somebody else's: certbot, step, an operator, or a proxy.
 */
import { constants } from "node:crypto"
import { unwatchFile, watchFile } from "node:fs"
import type { ServerOptions } from "node:https"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Log } from "#engine/log.ts"
import type { MetricsRegistry } from "#engine/metrics/registry.ts"
import { CertificateUnusable, readCertificate } from "#engine/tls/certificate.ts"
import type { Certificate, CertificateFiles } from "#engine/tls/certificate.ts"
import { dueWarning } from "#engine/tls/expiry.ts"
import type { Told } from "#engine/tls/expiry.ts"

/** Forward secrecy and AEAD only (RFC 7525bis / RFC 9325 s4.2); TLS 1.3 has no others. */
const CIPHERS = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
].join(":")

/** A client that has not finished its handshake by then is cut. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Both files are looked at this often; renewals are rare and nobody waits for them. */
const LOOK_EVERY_MS = 5_000
const EXPIRY_EVERY_MS = 3_600_000

export interface TlsOptions extends CertificateFiles {
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly nowMs: () => number
  readonly lookEveryMs?: number
}

export interface CertificateKeeper {
  /** For https.createServer. */
  readonly serverOptions: () => ServerOptions
  /** Gets every later pair; `apply` is called with what Server.setSecureContext takes. */
  readonly follow: (apply: (context: ServerOptions) => void) => void
  readonly current: () => Certificate
  /** Hears of each threshold, and of the one that was told last before it began to listen. */
  readonly onExpiring: (listener: (ending: Ending) => void) => void
  /** Reads the files now: true when another pair is served from here on. */
  readonly reload: () => boolean
}

export interface Ending {
  readonly names: string
  readonly validToMs: number
  /** See Due.tell. */
  readonly days: number
}

/** Fails when the pair cannot be served at the start; later faults are only told. */
export const keepCertificate = (
  options: TlsOptions,
): Effect.Effect<CertificateKeeper, CertificateUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => start(options), catch: (cause) => cause as CertificateUnusable }),
    (keeper) => Effect.sync(keeper.stop),
  )

const start = (options: TlsOptions): CertificateKeeper & { readonly stop: () => void } => {
  const { log, nowMs } = options
  let current = readCertificate(options, nowMs())
  let told: Told | null = null
  let ending: Ending | null = null
  const listeners: Array<(ending: Ending) => void> = []
  const followers: Array<(context: ServerOptions) => void> = []

  const tellExpiry = (): void => {
    const due = dueWarning(told, current, nowMs())
    told = due.told
    if (due.tell === null) return
    const at = { names: current.names, file: options.certFile, endsAt: new Date(current.validToMs).toISOString() }
    if (due.tell === 0) log.error("the TLS certificate has expired; browsers refuse this engine", at)
    else log.warn(`the TLS certificate expires within ${due.tell} ${due.tell === 1 ? "day" : "days"}; renew it`, at)
    ending = { names: current.names, validToMs: current.validToMs, days: due.tell }
    for (const listener of listeners) listener(ending)
  }
  const reload = (): boolean => {
    try {
      const next = readCertificate(options, nowMs())
      if (next.cert === current.cert && next.key === current.key) return false
      current = next
      ending = null
    } catch (cause) {
      const why = cause instanceof CertificateUnusable ? cause.message : "the files changed while they were read"
      log.error("the new TLS certificate is not used; the old one stays", { why })
      return false
    }
    for (const apply of followers) apply(contextOf(current))
    log.info("serves a new TLS certificate", {
      names: current.names,
      endsAt: new Date(current.validToMs).toISOString(),
    })
    tellExpiry()
    return true
  }

  options.metrics.gauge(
    "heliograph_tls_certificate_expires_seconds",
    "Seconds until the served TLS certificate ends; negative = it has ended.",
    () => Math.floor((current.validToMs - nowMs()) / 1000),
  )
  const onSignal = (): void => void reload()
  process.on("SIGHUP", onSignal)
  // Polls the path itself, so that a link that is turned to another file (certbot, Kubernetes secrets) counts too.
  const looking = { interval: options.lookEveryMs ?? LOOK_EVERY_MS, persistent: false }
  for (const file of [options.certFile, options.keyFile]) watchFile(file, looking, onSignal)
  const timer = setInterval(tellExpiry, EXPIRY_EVERY_MS).unref()
  tellExpiry()
  return {
    serverOptions: () => ({
      ...contextOf(current),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ["http/1.1"],
    }),
    follow: (apply) => void followers.push(apply),
    current: () => current,
    onExpiring: (listener) => {
      listeners.push(listener)
      if (ending !== null) listener(ending)
    },
    reload,
    stop: () => {
      clearInterval(timer)
      process.off("SIGHUP", onSignal)
      for (const file of [options.certFile, options.keyFile]) unwatchFile(file, onSignal)
    },
  }
}

const contextOf = ({ cert, key }: Certificate): ServerOptions => ({
  cert,
  key,
  minVersion: "TLSv1.2",
  ciphers: CIPHERS,
  honorCipherOrder: true,
  // A client may not ask for another handshake on an open connection: each costs us a signature (CVE-2011-1473).
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
})
