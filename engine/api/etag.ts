/**
 * Entity tags of single things (RFC 9110 s8.8.3): a hash of what a writer can change, so that a careful writer's If-Match
 * finds out about another's change, and nothing else (a new last sign-in, a count) gets in the way.
 */
import { createHash } from "node:crypto"
import { sortedJson } from "#engine/sorted-json.ts"

/** Strong, with its quotes: equal values, whatever the order of their members, have equal tags. */
export const etagOf = (value: unknown): string =>
  `"${createHash("sha256").update(sortedJson(value)).digest("base64url").slice(0, 22)}"`

/**
 * RFC 9110 s13.1.1: no header fits always, `*` fits whatever exists; a weak tag never fits. `etag` null = there is
 * nothing yet, so that any header is a writer who believed otherwise.
 */
export const fitsIfMatch = (header: string | undefined, etag: string | null): boolean => {
  if (header === undefined) return true
  if (etag === null) return false
  const given = header.split(",").map((one) => one.trim())
  return header.trim() === "*" || given.includes(etag)
}
