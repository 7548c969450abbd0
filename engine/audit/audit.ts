/** The audit as the API offers it: pages newest first, the chain verified, and signed copies within the tenant's quota. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Actor } from "#engine/audit/act.ts"
import { keepAnchors, type AnchorOptions } from "#engine/audit/anchors.ts"
import { chainedOf, COLUMNS, type Row } from "#engine/audit/entry.ts"
import { exportAudit, type Exported, type ExportRange, type ExportTooLarge } from "#engine/audit/export.ts"
import { verifyAudit, type Verdict } from "#engine/audit/verify.ts"
import { Unavailable } from "#engine/api/ports.ts"
import { readAnchors } from "#engine/signing/anchor-file.ts"
import { openSigner, type Signer, type SigningKeyUnusable } from "#engine/signing/signer.ts"
import type { DbShape } from "#engine/storage/db.ts"
import type { Quotas } from "#engine/quota/quotas.ts"
import { pgText } from "#engine/storage/pg-text.ts"
import type { TenantId } from "#protocol/id.ts"

export interface AuditQuery {
  /** Id of a user or key, or a part of their name, in any case. */
  readonly actor: string | null
  /** The whole action, or its beginning: `user.` */
  readonly action: string | null
  /** Id of the object, or a part of its name, in any case. */
  readonly object: string | null
  readonly fromMs: number | null
  readonly toMs: number | null
  /** Only rows before this one. */
  readonly beforeSeq: number | null
  readonly limit: number
}

/** An entry as the API shows it. */
export interface AuditView {
  readonly seq: number
  readonly atMs: number
  readonly actor: Actor
  readonly action: string
  readonly object: { readonly kind: string; readonly id: string; readonly name: string }
  readonly before: { readonly [key: string]: unknown } | null
  readonly after: { readonly [key: string]: unknown } | null
  readonly reason: string | null
  readonly hash: string
}

export interface Audit {
  /** Newest first. */
  readonly page: (tenant: TenantId, query: AuditQuery) => Effect.Effect<readonly AuditView[], Unavailable>
  /** Whoever asks while it runs for their tenant gets the same answer. */
  readonly verify: (tenant: TenantId) => Effect.Effect<Verdict, Unavailable>
  readonly export: (
    tenant: TenantId,
    actor: Actor,
    range: ExportRange,
  ) => Effect.Effect<Exported & { readonly lines: string }, ExportTooLarge | Unavailable>
}

export interface AuditOptions {
  readonly db: DbShape
  readonly dataDir: string
  readonly signer: Signer
  /** `max_export_bytes` of one export; absent = only our own bound. */
  readonly quotas?: Pick<Quotas, "limit" | "exceeded">
  readonly nowMs: () => number
}

/** Of an answer that is built in memory; longer exports are for `heliograph audit export`. */
export const EXPORT_BYTES_MAX = 32 * 1024 * 1024
const QUOTA = "max_export_bytes"
const UNLIMITED = { limit: () => EXPORT_BYTES_MAX, exceeded: () => undefined }
/** Verifications at once, over all tenants: each reads whole tables. */
const VERIFY_AT_ONCE = 2

/** With the signing key of the data directory, and anchors kept from now until the scope closes. */
export const openAudit = (
  options: Omit<AuditOptions, "signer"> & Pick<AnchorOptions, "tenants" | "log">,
): Effect.Effect<Audit, SigningKeyUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const signer = yield* openSigner(options.dataDir)
    yield* keepAnchors({ ...options, signer })
    return makeAudit({ ...options, signer })
  })

export const makeAudit = ({ db, dataDir, signer, quotas = UNLIMITED, nowMs }: AuditOptions): Audit => {
  const verifying = new Map<TenantId, Promise<Verdict>>()
  const verifyNow = (tenant: TenantId): Promise<Verdict> => {
    const known = verifying.get(tenant)
    if (known !== undefined) return known
    const anchors = readAnchors(dataDir).anchors.filter((anchor) => anchor.tenant === tenant)
    const started = Effect.runPromise(verifyAudit(db, tenant, { anchors, publicKeys: signer.publicKeys })).finally(() =>
      verifying.delete(tenant),
    )
    verifying.set(tenant, started)
    return started
  }
  return {
    page: (tenant, query) => readViews(db, tenant, query).pipe(Effect.mapError(away)),
    verify: (tenant) =>
      Effect.suspend(() =>
        verifying.has(tenant) || verifying.size < VERIFY_AT_ONCE
          ? Effect.tryPromise({ try: () => verifyNow(tenant), catch: away })
          : new Unavailable({ detail: "audits of other tenants are being verified" }),
      ),
    export: (tenant, actor, range) =>
      Effect.gen(function* () {
        const parts: string[] = []
        const made = yield* exportAudit(db, signer, tenant, actor, {
          ...range,
          bytesMax: Math.min(quotas.limit(tenant, QUOTA), EXPORT_BYTES_MAX),
          nowMs: nowMs(),
          write: (line) => parts.push(line),
        }).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => (error._tag === "ExportTooLarge" ? quotas.exceeded(tenant, QUOTA) : undefined)),
          ),
          Effect.catchTag("DbError", (error) => Effect.fail(away(error))),
        )
        return { ...made, lines: parts.join("") }
      }),
  }
}

const readViews = (db: DbShape, tenant: TenantId, query: AuditQuery) =>
  db.tenant(tenant)(async (tx) => {
    const text = (given: string | null): string | null => (given === null ? null : pgText(given, 200))
    const { rows } = await tx.query<Row & Record<string, unknown>>(
      `select ${COLUMNS} from audit_entry
       where tenant_id = $1
         and ($2::text is null or actor_id = $2 or strpos(lower(actor_name), lower($2)) > 0)
         and ($3::text is null or starts_with(action, $3))
         and ($4::text is null or object_id = $4 or strpos(lower(object_name), lower($4)) > 0)
         and ($5::bigint is null or at_ms >= $5) and ($6::bigint is null or at_ms <= $6)
         and ($7::bigint is null or seq < $7)
       order by seq desc limit $8`,
      [
        tenant,
        text(query.actor),
        text(query.action),
        text(query.object),
        query.fromMs,
        query.toMs,
        query.beforeSeq,
        query.limit,
      ],
    )
    return rows.map(viewOf)
  })

const viewOf = (row: Row): AuditView => {
  const { previous: _, before, after, ...rest } = chainedOf(row)
  return { ...rest, before: readSide(before), after: readSide(after) }
}

/** What somebody put there by hand may be no object: it is shown all the same, and verify finds it. */
const readSide = (text: string | null): AuditView["before"] => {
  const value: unknown = text === null ? null : JSON.parse(text)
  return value === null || (typeof value === "object" && !Array.isArray(value))
    ? (value as AuditView["before"])
    : { value }
}

const away = (cause: unknown): Unavailable =>
  new Unavailable({
    detail: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : "the database did not answer",
  })
