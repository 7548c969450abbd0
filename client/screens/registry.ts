/** The screens. To add one: its file, and a line here; the rail, the address and the header follow. */
import type { FunctionComponent } from "preact"
import { DevicesScreen } from "#client/screens/devices.tsx"
import { EventsScreen } from "#client/screens/events.tsx"
import { MapScreen } from "#client/screens/map.tsx"
import type { Key } from "#client/i18n/translate.ts"
import { DevicesIcon, EventsIcon, MapIcon } from "#client/ui/icons.tsx"

export interface Screen {
  readonly id: string
  readonly title: Key
  readonly icon: FunctionComponent
  readonly view: FunctionComponent
}

export const SCREENS: readonly [Screen, ...Screen[]] = [
  { id: "map", title: "nav.map", icon: MapIcon, view: MapScreen },
  { id: "devices", title: "nav.devices", icon: DevicesIcon, view: DevicesScreen },
  { id: "events", title: "nav.events", icon: EventsIcon, view: EventsScreen },
]

/** An unknown address opens the first screen. */
export const screenOf = (id: string): Screen => SCREENS.find((screen) => screen.id === id) ?? SCREENS[0]
