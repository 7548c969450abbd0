/** The acts on incidents, for the audit's table of routes: what each is called with, and its one row. */
import type { RouteName } from "#engine/access/entries.ts"
import type { Call, Prepare } from "#engine/audit/calls.fixture.ts"

export interface Table {
  readonly ask: (name: RouteName, call: Call) => Promise<{ readonly body: unknown }>
  /** Makes an alert that is critical and that no cause explains fire; back when it does. */
  readonly alarm: () => Promise<void>
  /** Of the twin. */
  readonly nextRound: () => Promise<void>
}

export const incidentCalls = ({ ask, alarm, nextRound }: Table) => {
  const listed = async (): Promise<string | undefined> => {
    const { items } = (await ask("incidents.list", { query: { state: "open" } })).body as {
      readonly items: ReadonlyArray<{ readonly id: string }>
    }
    return items[0]?.id
  }
  /** One that is open: that of the call before, or a new one. */
  const open = async (): Promise<{ readonly params: { readonly id: string } }> => {
    const known = await listed()
    if (known !== undefined) return { params: { id: known } }
    await alarm()
    for (;;) {
      const id = await listed()
      if (id !== undefined) return { params: { id } }
      await nextRound()
    }
  }
  return {
    "incidents.acknowledge": async () => ({ ...(await open()), body: { minutes: 5 }, action: /^incident\.ack$/ }),
    "incidents.withdraw": async () => {
      const { params } = await open()
      await ask("incidents.acknowledge", { params, body: {} })
      return { params, action: /^incident\.unack$/ }
    },
    "incidents.assign": async () => ({ ...(await open()), body: { user: "admin" }, action: /^incident\.assign$/ }),
    "incidents.note": async () => ({ ...(await open()), body: { text: "on my way" }, action: /^incident\.note$/ }),
    "incidents.escalate": async () => ({
      ...(await open()),
      body: { note: "two of us are needed" },
      action: /^incident\.escalate$/,
    }),
    "incidents.confirm": async () => ({
      ...(await open()),
      body: { members: [{ fault: "router", kind: "device", id: "x", name: "x" }], note: "" },
      action: /^incident\.confirm$/,
    }),
    "incidents.unlearn": async () => ({ params: { fault: "link" }, action: /^incident\.unlearn$/ }),
    "incidents.close": async () => ({ ...(await open()), body: { note: "a drill" }, action: /^incident\.close$/ }),
  } satisfies Readonly<Record<string, Prepare>>
}
