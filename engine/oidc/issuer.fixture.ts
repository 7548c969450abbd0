/**
 * An OpenID issuer for tests, on node http over loopback: discovery, keys, authorize (which signs `person` in at once) and
 * token with PKCE and single-use codes, all as OpenID Connect Core has it. Each test may bend one thing of it, to see that
 * the relying party notices.
 */
import { createHash, randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from "jose"

export const CLIENT_ID = "heliograph"
export const CLIENT_SECRET = "a secret of the client"

/** What the next sign-ins are like; every field may be bent. */
export interface Bend {
  person: Record<string, unknown>
  /** Over the ID token's own claims. */
  claims: Record<string, unknown>
  alg: "RS256" | "none" | "HS256 by the public key" | "HS256 by the client secret" | "RS256 by a stranger"
  /** Of the authorization response (RFC 9207); null = none is sent. */
  responseIssuer: string | null
  /** Codes may be used twice. */
  lenient: boolean
  /** Answers of the token endpoint. */
  tokenStatus: number
  discovery: Record<string, unknown>
}

export interface Issuer {
  readonly url: string
  readonly bend: Bend
  /** Back to how it should be. */
  readonly straighten: () => void
  /** Bodies of token requests, newest last. */
  readonly tokenRequests: URLSearchParams[]
  readonly stop: () => Promise<void>
  /** On the port that it had. */
  readonly start: () => Promise<void>
}

interface Grant {
  readonly challenge: string
  readonly nonce: string
  readonly redirectUri: string
}
interface Keys {
  readonly own: CryptoKey
  readonly stranger: CryptoKey
  readonly jwk: JWK
}

export const makeIssuer = async (): Promise<Issuer> => {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true })
  const stranger = (await generateKeyPair("RS256")).privateKey
  const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "RS256", use: "sig" }
  const keys: Keys = { own: privateKey, stranger, jwk }
  const bend = {} as Bend
  const codes = new Map<string, Grant>()
  const tokenRequests: URLSearchParams[] = []
  let port = 0
  const server = createServer((request, response) => {
    void route({ url: `http://127.0.0.1:${port}`, bend, codes, keys, tokenRequests }, request, response)
  })
  const straighten = (): void =>
    void Object.assign(bend, {
      person: { sub: "sub-1", preferred_username: "ana", groups: ["noc-team"] },
      claims: {},
      alg: "RS256",
      responseIssuer: `http://127.0.0.1:${port}`,
      lenient: false,
      tokenStatus: 200,
      discovery: {},
    })
  const start = async (): Promise<void> => {
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done))
    port = (server.address() as AddressInfo).port
  }
  await start()
  straighten()
  const stop = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, bend, straighten, tokenRequests, stop, start }
}

interface Parts {
  readonly url: string
  readonly bend: Bend
  readonly codes: Map<string, Grant>
  readonly keys: Keys
  readonly tokenRequests: URLSearchParams[]
}

const route = async (parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", parts.url)
  switch (url.pathname) {
    case "/.well-known/openid-configuration":
      return json(response, 200, { ...discoveryOf(parts.url), ...parts.bend.discovery })
    case "/jwks":
      return json(response, 200, { keys: [parts.keys.jwk] })
    case "/authorize":
      return authorize(parts, url.searchParams, response)
    case "/token":
      return token(parts, request, response)
    default:
      return json(response, 404, {})
  }
}

const discoveryOf = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/jwks`,
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  code_challenge_methods_supported: ["S256"],
  authorization_response_iss_parameter_supported: true,
})

const authorize = ({ bend, codes }: Parts, asked: URLSearchParams, response: ServerResponse): void => {
  const redirectUri = asked.get("redirect_uri") ?? ""
  const proper =
    asked.get("client_id") === CLIENT_ID &&
    asked.get("response_type") === "code" &&
    asked.get("code_challenge_method") === "S256" &&
    (asked.get("scope") ?? "").split(" ").includes("openid")
  if (!proper) return json(response, 400, { error: "invalid_request" })
  const code = randomBytes(16).toString("base64url")
  codes.set(code, {
    redirectUri,
    challenge: asked.get("code_challenge") ?? "",
    nonce: asked.get("nonce") ?? "",
  })
  const back = new URL(redirectUri)
  back.searchParams.set("code", code)
  back.searchParams.set("state", asked.get("state") ?? "")
  if (bend.responseIssuer !== null) back.searchParams.set("iss", bend.responseIssuer)
  response.writeHead(302, { location: back.href }).end()
}

const token = async (parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { bend, codes, tokenRequests } = parts
  const body = new URLSearchParams(await text(request))
  tokenRequests.push(body)
  if (bend.tokenStatus !== 200) return json(response, bend.tokenStatus, { error: "temporarily_unavailable" })
  const code = body.get("code") ?? ""
  const grant = codes.get(code)
  if (!bend.lenient) codes.delete(code)
  const verified =
    grant !== undefined &&
    createHash("sha256")
      .update(body.get("code_verifier") ?? "")
      .digest("base64url") === grant.challenge &&
    body.get("redirect_uri") === grant.redirectUri
  if (body.get("client_secret") !== CLIENT_SECRET || body.get("client_id") !== CLIENT_ID)
    return json(response, 401, { error: "invalid_client" })
  if (!verified) return json(response, 400, { error: "invalid_grant" })
  json(response, 200, {
    access_token: "unused",
    token_type: "Bearer",
    expires_in: 60,
    id_token: await idToken(parts, grant.nonce),
  })
}

const idToken = async ({ url, bend, keys }: Parts, nonce: string): Promise<string> => {
  const nowS = Math.floor(Date.now() / 1000)
  const standard = { iss: url, aud: CLIENT_ID, iat: nowS, exp: nowS + 300, nonce }
  const claims = { ...standard, ...bend.person, ...bend.claims }
  const signed = (alg: string, key: CryptoKey | Uint8Array): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: "key-1" }).sign(key)
  switch (bend.alg) {
    case "RS256":
      return signed("RS256", keys.own)
    case "RS256 by a stranger":
      return signed("RS256", keys.stranger)
    case "none":
      return new UnsecuredJWT(claims).encode()
    case "HS256 by the public key":
      return signed("HS256", Buffer.from(keys.jwk.n ?? "", "base64url"))
    case "HS256 by the client secret":
      return signed("HS256", Buffer.from(CLIENT_SECRET.padEnd(32)))
  }
}

const json = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
  response.end(JSON.stringify(body))
}
