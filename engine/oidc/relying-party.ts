/**
 * The protocol with the issuer, by openid-client: discovery, authorisation code with PKCE (S256), state and nonce, and an
 * ID token that is verified by its signature too, not only by the TLS that it came through (OpenID Connect Core s3.1.3.7).
 * Everything that the issuer sends is bounded, and goes only where a code or a secret may go.
 */
import * as Data from "effect/Data"
import * as Redacted from "effect/Redacted"
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  ClientSecretPost,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type Configuration,
  type CustomFetchOptions,
  type IDToken,
} from "openid-client"
import type { Flow } from "#engine/oidc/flow-cookie.ts"
import { isSafeUrl, type OidcSettings } from "#engine/oidc/settings.ts"

/** The issuer does not answer, or not as one. `detail` is for the log. */
export class IssuerAway extends Data.TaggedError("IssuerAway")<{ readonly detail: string }> {}
/** What came back proves nothing: wrong state, code, issuer, signature, audience, nonce or time. */
export class NotProven extends Data.TaggedError("NotProven")<{ readonly detail: string }> {}

export interface RelyingParty {
  /** Where the browser is sent. Rejects with IssuerAway or NotProven. */
  readonly authorizationUrl: (flow: Flow) => Promise<URL>
  /** What the issuer says of whoever came back. Rejects with IssuerAway or NotProven. */
  readonly claims: (flow: Flow, query: string) => Promise<IDToken>
}

const TIMEOUT_S = 10
const ANSWER_BYTES_MAX = 512 * 1024
/** How long a discovery document is believed; keys are fetched anew by themselves when an unknown one signs. */
const DISCOVERY_MS = 3_600_000

export const makeRelyingParty = (settings: OidcSettings, nowMs: () => number): RelyingParty => {
  let known: { readonly configuration: Promise<Configuration>; readonly untilMs: number } | null = null
  const configured = (): Promise<Configuration> => {
    if (known !== null && known.untilMs > nowMs()) return known.configuration
    const configuration = discover(settings)
    const mine = { configuration, untilMs: nowMs() + DISCOVERY_MS }
    known = mine
    // What failed is asked for anew by the next one who comes.
    configuration.catch(() => (known = known === mine ? null : known))
    return configuration
  }
  return {
    authorizationUrl: async (flow) => {
      const configuration = await configured()
      return buildAuthorizationUrl(configuration, {
        redirect_uri: settings.redirectUri,
        scope: "openid profile email",
        response_type: "code",
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: "S256",
      })
    },
    claims: async (flow, query) => {
      const configuration = await configured()
      try {
        const answer = await authorizationCodeGrant(configuration, new URL(`${settings.redirectUri}${query}`), {
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          pkceCodeVerifier: flow.verifier,
          idTokenExpected: true,
        })
        const claims = answer.claims()
        if (claims === undefined) throw new NotProven({ detail: "there is no ID token" })
        return claims
      } catch (error) {
        throw asOurs(error)
      }
    },
  }
}

const discover = async (settings: OidcSettings): Promise<Configuration> => {
  const secret = settings.clientSecret === null ? null : Redacted.value(settings.clientSecret)
  const plain = settings.issuer.startsWith("http:")
  try {
    return await discovery(
      new URL(settings.issuer),
      settings.clientId,
      undefined,
      secret === null ? None() : ClientSecretPost(secret),
      {
        timeout: TIMEOUT_S,
        [customFetch]: boundedFetch,
        // isSafeUrl, in boundedFetch, allows it for 127.0.0.1 alone.
        execute: plain ? [allowInsecureRequests, enableNonRepudiationChecks] : [enableNonRepudiationChecks],
      },
    )
  } catch (error) {
    // Whatever it is, nobody can sign in by this issuer now.
    const ours = asOurs(error)
    throw new IssuerAway({ detail: ours.detail })
  }
}

/** One request to the issuer: only to a safe address, no redirects, an answer of bounded size. */
const boundedFetch = async (url: string, options: CustomFetchOptions): Promise<Response> => {
  if (!isSafeUrl(url))
    throw new NotProven({ detail: `the issuer names an address that is not https: ${originOf(url)}` })
  const { body, headers, method, signal } = options
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      ...(body instanceof URLSearchParams || typeof body === "string" ? { body } : {}),
      ...(signal === undefined ? {} : { signal }),
    })
    if (response.status >= 500) {
      await response.body?.cancel()
      throw new IssuerAway({ detail: `${originOf(url)} answered ${response.status}` })
    }
    const { status, headers: answered } = response
    const content = await boundedBody(response)
    return new Response(content.length === 0 ? null : content, { status, headers: answered })
  } catch (error) {
    if (error instanceof IssuerAway || error instanceof NotProven) throw error
    throw new IssuerAway({ detail: `${originOf(url)} does not answer: ${reasonOf(error)}` })
  }
}

const boundedBody = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > ANSWER_BYTES_MAX)
      throw new NotProven({ detail: `the issuer's answer is larger than ${ANSWER_BYTES_MAX} bytes` })
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

const CAUSES_MAX = 5

/** openid-client wraps what its fetch threw; its own errors quote tokens in their causes, never in their messages. */
const asOurs = (error: unknown): IssuerAway | NotProven => {
  let cause = error
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (cause instanceof IssuerAway || cause instanceof NotProven) return cause
    cause = cause.cause
  }
  if (error instanceof ClientError && error.code === "OAUTH_TIMEOUT")
    return new IssuerAway({ detail: "it took too long" })
  return new NotProven({ detail: reasonOf(error) })
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "unknown reason"
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : ""
  const inner = error.cause instanceof Error && "code" in error.cause ? ` [${String(error.cause.code)}]` : ""
  return `${error.message.split("\n")[0] ?? ""}${code}${inner}`
}

const originOf = (url: string): string => URL.parse(url)?.origin ?? "no URL"
