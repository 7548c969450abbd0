/**
 * What no route may see: requests that could be read in two ways, that come from another site, that mean another host,
 * or that are larger than their route takes. Asked before anything of a request is looked at, upgrades included.
 */
import type { IncomingMessage } from "node:http"
import { PROBLEMS } from "#engine/http/answer.ts"
import type { Problem } from "#engine/http/answer.ts"
import { isForeign, isForeignRead, isOurHost, repeatedField } from "#engine/http/origin.ts"

/** Of any body but those of BODY_BYTES_MAX_OF. */
export const BODY_BYTES_MAX = 64 * 1024
/** Routes whose bodies are documents. */
export const BODY_BYTES_MAX_OF: Readonly<Record<string, number>> = { "/api/v1/imports": 8 * 1024 * 1024 }
export const URL_LENGTH_MAX = 4096

const READS = new Set(["GET", "HEAD"])
const CHANGES = new Set(["POST", "PUT", "PATCH", "DELETE"])

export interface Front {
  readonly publicUrl: string | null
  /** Names other than ours are refused: `publicUrl` is set, or nobody but this machine can reach us. */
  readonly checkHost: boolean
}

/** Null = a route may have it. */
export const refusal = (request: IncomingMessage, front: Front): Problem | null => {
  const { method = "", headers, url = "" } = request
  if (url.length > URL_LENGTH_MAX) return PROBLEMS.urlTooLong
  const repeated = repeatedField(request)
  if (repeated !== null) return { ...PROBLEMS.ambiguous, detail: `${repeated} stands there twice` }
  if (front.checkHost && !isOurHost(headers.host, front.publicUrl)) return PROBLEMS.wrongHost
  const changes = CHANGES.has(method)
  if (!changes && !READS.has(method)) return PROBLEMS.wrongMethod
  if (changes ? isForeign(request, front.publicUrl) : isGuarded(url) && isForeignRead(request))
    return PROBLEMS.foreignOrigin
  return bodyRefusal(request)
}

/** Bodies come whole and plain: nothing is unpacked, so nothing can grow. */
const bodyRefusal = ({ headers, url = "" }: IncomingMessage): Problem | null => {
  const coding = headers["content-encoding"]
  if (coding !== undefined && coding.toLowerCase() !== "identity") return PROBLEMS.packedBody
  if (headers["transfer-encoding"] !== undefined) return PROBLEMS.lengthRequired
  const length = headers["content-length"] ?? "0"
  // Node's parser takes digits only; this says so again where a number is made of them.
  if (!/^\d{1,15}$/.test(length)) return PROBLEMS.lengthRequired
  const [path = ""] = url.split("?", 1)
  const most = Object.hasOwn(BODY_BYTES_MAX_OF, path) ? BODY_BYTES_MAX_OF[path]! : BODY_BYTES_MAX
  return Number(length) > most ? { ...PROBLEMS.tooLarge, detail: `at most ${most} bytes` } : null
}

/** What answers with somebody's data. The shell and its assets are the same for everybody. */
const isGuarded = (url: string): boolean => /^\/(api\/|metrics|openapi\.json|basemap\.pmtiles)/.test(url)
