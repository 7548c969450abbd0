/** Replays as people ask for them at the doors of a whole engine (two-tenants.fixture.ts), and the live twin behind these. */
import type { OneTenant, Somebody, TwoTenants } from "#engine/isolation/two-tenants.fixture.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

/** Status and body; `path` is what stands behind `/api/v1/replays`. */
export type AskReplays<Body> = (
  who: Somebody,
  method: string,
  path: string,
  body?: object,
) => Promise<[status: number, body: Body]>

export const askReplaysOf =
  <Body>(it: TwoTenants): AskReplays<Body> =>
  async (who, method, path, body) => {
    const response = await fetch(`${it.url}/api/v1/replays${path}`, {
      method,
      headers: { ...who.headers, origin: it.url, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return [response.status, text === "" ? ({} as Body) : (JSON.parse(text) as Body)]
  }

export const liveTwinOf = (it: TwoTenants, tenant: OneTenant): LiveTwin =>
  it.engine.tenants().find(({ twin }) => twin.tenant.id === tenant.id)!.twin

/** When all that the twin was told so far is kept: a moment at which it stands, and before whatever comes next. */
export const keptMs = async (twin: LiveTwin): Promise<number> => {
  // Every heartbeat is a later input: whatever was before it is applied, and journaled in its order.
  const before = twin.seq()
  while (twin.seq() < before + 2) await new Promise((turn) => setTimeout(turn, 20))
  await new Promise((turn) => setTimeout(turn, 300))
  return Date.now() - 100
}
