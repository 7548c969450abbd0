/**
 * When to say that a certificate ends: 30, 7 and 1 days before (PRODUCT.md S8), each once per certificate, the nearest
 * only when several are due at once. Pure: time is an argument.
 */

const DAY_MS = 86_400_000
/** From far to near. */
export const WARN_DAYS = [30, 7, 1] as const

export interface Told {
  /** Of the certificate that was told of; another one starts anew. */
  readonly fingerprint: string
  /** The nearest threshold that was told; null = none yet. */
  readonly days: number | null
}

export interface Due {
  readonly told: Told
  /** Days of the threshold to tell now; 0 = it has ended; null = nothing to tell. */
  readonly tell: number | null
}

export const dueWarning = (
  told: Told | null,
  certificate: { readonly fingerprint: string; readonly validToMs: number },
  nowMs: number,
): Due => {
  const { fingerprint, validToMs } = certificate
  const before = told?.fingerprint === fingerprint ? told.days : null
  const leftMs = validToMs - nowMs
  const crossed = leftMs <= 0 ? 0 : (WARN_DAYS.findLast((days) => leftMs <= days * DAY_MS) ?? null)
  const isNew = crossed !== null && (before === null || crossed < before)
  return { told: { fingerprint, days: isNew ? crossed : before }, tell: isNew ? crossed : null }
}
