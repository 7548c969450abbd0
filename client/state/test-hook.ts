/** `window.__twin`: what the end-to-end tests read and press. It shows nothing that the screen does not show. */
import { dropSocket, phase, store } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import type { Selection } from "#client/state/route.ts"

export interface GraphItem {
  readonly key: string
  readonly kind: "device" | "layer" | "site"
  readonly x: number
  readonly y: number
  readonly count: number
}

export const testHook = {
  state: store.state,
  stats: store.stats,
  phase: () => phase.value,
  select: (selection: Selection | null) => go({ selection }),
  dropSocket,
  /** Page pixels of a node, or of a link's middle; null while no map is shown. */
  screen: (_slot: number, _kind?: "node" | "link"): { x: number; y: number } | null => null,
  /** Slots of the nodes that are drawn at this zoom. */
  drawn: (): readonly number[] => [],
  /** What the logical view shows, in page pixels; empty while it is not on the screen. */
  graph: (): readonly GraphItem[] => [],
  /** The map has drawn the network and waits for nothing. */
  ready: (): boolean => false,
}

export type TestHook = typeof testHook

declare global {
  interface Window {
    __twin?: TestHook
  }
}

export const installTestHook = (): void => {
  window.__twin = testHook
}
