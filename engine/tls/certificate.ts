/**
 * The certificate that the web interface serves, read from two PEM files and checked before anybody sees it: the key
 * belongs to the certificate, is private to its owner, and today lies within the certificate's life (RFC 5280 s4.1.2.5).
 * What is wrong is told in words that name the file and the cure; no key material is in them.
 */
import { createPrivateKey, X509Certificate } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import * as Data from "effect/Data"

export interface CertificateFiles {
  /** The server's certificate first, then what leads to its authority. */
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** What it is for, as its subjectAltName or subject says. */
  readonly names: string
  readonly validToMs: number
  /** SHA-256, hex pairs joined by colons. */
  readonly fingerprint: string
}

export type CertificateFault =
  | "missing"
  | "readable-by-others"
  | "malformed"
  | "mismatch"
  | "expired"
  | "not-yet-valid"
  | "weak-key"

export class CertificateUnusable extends Data.TaggedError("CertificateUnusable")<{
  readonly reason: CertificateFault
  readonly message: string
}> {}

/** A chain is a few kilobytes; a file beyond this is not one. */
const PEM_BYTES_MAX = 256 * 1024
const RSA_BITS_MIN = 2048
const NAMES_LENGTH_MAX = 300

/** Throws CertificateUnusable. */
export const readCertificate = ({ certFile, keyFile }: CertificateFiles, nowMs: number): Certificate => {
  const cert = readPem(certFile, "HELIOGRAPH_TLS_CERT_FILE")
  const key = readPem(keyFile, "HELIOGRAPH_TLS_KEY_FILE")
  const { mode } = statSync(keyFile)
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw unusable(
      "readable-by-others",
      `${keyFile} may be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600`,
    )
  const first = parseCertificate(certFile, cert)
  const secret = parseKey(keyFile, key)
  if (!first.checkPrivateKey(secret))
    throw unusable(
      "mismatch",
      `${keyFile} is not the key of the first certificate in ${certFile}: give the pair that belongs together`,
    )
  const { modulusLength } = secret.asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && modulusLength < RSA_BITS_MIN)
    throw unusable(
      "weak-key",
      `${keyFile} is an RSA key of ${modulusLength} bits: make one of at least ${RSA_BITS_MIN}, or ECDSA P-256`,
    )
  const [validFromMs, validToMs] = [Date.parse(first.validFrom), Date.parse(first.validTo)]
  if (nowMs >= validToMs)
    throw unusable("expired", `${certFile} expired on ${day(validToMs)}: renew it, then start again`)
  if (nowMs < validFromMs)
    throw unusable("not-yet-valid", `${certFile} is valid from ${day(validFromMs)} only: check this machine's clock`)
  const names = (first.subjectAltName ?? first.subject.replaceAll("\n", ", ")).slice(0, NAMES_LENGTH_MAX)
  return { cert, key, names, validToMs, fingerprint: first.fingerprint256 }
}

const readPem = (file: string, setting: string): string => {
  try {
    const bytes = readFileSync(file)
    if (bytes.length > PEM_BYTES_MAX) throw unusable("malformed", `${file} is larger than ${PEM_BYTES_MAX} bytes`)
    return bytes.toString("latin1")
  } catch (cause) {
    if (cause instanceof CertificateUnusable) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw unusable("missing", `${setting}: ${file} cannot be read (${code ?? "unknown reason"})`)
  }
}

/** The errors of OpenSSL are not passed on: they say nothing that helps, and may quote what they read. */
const parseCertificate = (file: string, pem: string): X509Certificate => {
  try {
    return new X509Certificate(pem)
  } catch {
    throw unusable("malformed", `${file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)`)
  }
}

const parseKey = (file: string, pem: string): KeyObject => {
  try {
    return createPrivateKey(pem)
  } catch {
    const why = pem.includes("ENCRYPTED")
      ? "is locked with a passphrase: give it without one"
      : "holds no PEM private key"
    throw unusable("malformed", `${file} ${why}`)
  }
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const unusable = (reason: CertificateFault, message: string): CertificateUnusable =>
  new CertificateUnusable({ reason, message })
