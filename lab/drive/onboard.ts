/** A tenant's first minutes by the public API alone: made, its administrator comes in by the invitation, its network is declared. */
import { PASSWORD, type Engine } from "#lab/drive/engine.ts"

/** Somebody who is signed in. */
export interface Person {
  readonly cookie: string
  /** Rejects with what the API said unless it says yes; null when there is no body. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<unknown>
  /** Status only, whatever it is. */
  readonly knock: (path: string) => Promise<number>
}

export const personOf = (url: string, cookie: string): Person => {
  const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(new URL(`/api/v1${path}`, url), {
      method,
      headers: { cookie, origin: url, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    cookie,
    call: async (method, path, body) => {
      const response = await ask(method, path, body)
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return text === "" ? null : (JSON.parse(text) as unknown)
    },
    knock: async (path) => {
      const response = await ask("GET", path)
      await response.arrayBuffer()
      return response.status
    },
  }
}

/** The platform's administrator makes the tenant; its own administrator accepts and signs in. */
export const onboard = async (engine: Engine, platform: Person, slug: string, tier: string): Promise<Person> => {
  const made = (await platform.call("POST", "/tenants", { slug, name: slug, tier })) as { invitationToken: string }
  const stranger = personOf(engine.url, "")
  const name = `admin-${slug}`
  await stranger.call("POST", "/invitations/accept", { token: made.invitationToken, name, password: PASSWORD })
  const response = await fetch(new URL("/api/v1/session", engine.url), {
    method: "POST",
    headers: { "content-type": "application/json", origin: engine.url },
    body: JSON.stringify({ user: name, password: PASSWORD, tenant: slug }),
  })
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0]
  if (response.status !== 204 || cookie === undefined) throw new Error(`sign-in of ${name}: ${response.status}`)
  return personOf(engine.url, cookie)
}
