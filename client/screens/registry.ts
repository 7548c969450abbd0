/** The screens. To add one: its file, its needs in state/places.ts, and a line here; rail, address and header follow. */
import type { FunctionComponent } from "preact"
import { AccountScreen } from "#client/screens/account.tsx"
import { AdminScreen } from "#client/screens/admin.tsx"
import { AlertsScreen } from "#client/screens/alerts.tsx"
import { DevicesScreen } from "#client/screens/devices.tsx"
import { EventsScreen } from "#client/screens/events.tsx"
import { GraphScreen } from "#client/screens/graph.tsx"
import { IncidentsScreen } from "#client/screens/incidents.tsx"
import { MaintenanceScreen } from "#client/screens/maintenance.tsx"
import { MapScreen } from "#client/screens/map.tsx"
import { ReplayScreen } from "#client/screens/replay.tsx"
import { RulesScreen } from "#client/screens/rules.tsx"
import { SetupScreen } from "#client/screens/setup.tsx"
import { TopologyScreen } from "#client/screens/topology.tsx"
import { WhatIfScreen } from "#client/screens/whatif.tsx"
import type { Key } from "#client/i18n/translate.ts"
import { screenOpen } from "#client/state/places.ts"
import type { ScreenId } from "#client/state/places.ts"
import { badgeText, RailBadge } from "#client/ui/alerts/alert-badge.tsx"
import { incidentBadgeText, IncidentRailBadge } from "#client/ui/incidents/incident-badge.tsx"
import {
  AccountIcon,
  AdminIcon,
  AlertsIcon,
  CalendarIcon,
  DevicesIcon,
  EventsIcon,
  GraphIcon,
  InboxIcon,
  IncidentsIcon,
  MapIcon,
  PlusIcon,
  ReplayIcon,
  RulesIcon,
  WhatIfIcon,
} from "#client/ui/icons.tsx"

export interface Screen {
  readonly id: ScreenId
  readonly title: Key
  readonly icon: FunctionComponent
  readonly view: FunctionComponent
  /** Where the rail has it; "none" = reached from other screens only. */
  readonly rail: "top" | "bottom" | "none"
  /** A number on its icon, and what it says; null = nothing to say. */
  readonly badge?: { readonly view: FunctionComponent; readonly text: () => string | null }
}

const SCREENS: readonly [Screen, ...Screen[]] = [
  { id: "map", title: "nav.map", icon: MapIcon, view: MapScreen, rail: "top" },
  {
    id: "incidents",
    title: "nav.incidents",
    icon: IncidentsIcon,
    view: IncidentsScreen,
    rail: "top",
    badge: { view: IncidentRailBadge, text: incidentBadgeText },
  },
  { id: "graph", title: "nav.graph", icon: GraphIcon, view: GraphScreen, rail: "top" },
  {
    id: "alerts",
    title: "nav.alerts",
    icon: AlertsIcon,
    view: AlertsScreen,
    rail: "top",
    badge: { view: RailBadge, text: badgeText },
  },
  { id: "devices", title: "nav.devices", icon: DevicesIcon, view: DevicesScreen, rail: "top" },
  { id: "events", title: "nav.events", icon: EventsIcon, view: EventsScreen, rail: "top" },
  { id: "rules", title: "nav.rules", icon: RulesIcon, view: RulesScreen, rail: "top" },
  { id: "maintenance", title: "nav.maintenance", icon: CalendarIcon, view: MaintenanceScreen, rail: "top" },
  { id: "replay", title: "nav.replay", icon: ReplayIcon, view: ReplayScreen, rail: "top" },
  { id: "whatif", title: "nav.whatif", icon: WhatIfIcon, view: WhatIfScreen, rail: "top" },
  { id: "topology", title: "nav.topology", icon: InboxIcon, view: TopologyScreen, rail: "top" },
  { id: "admin", title: "nav.admin", icon: AdminIcon, view: AdminScreen, rail: "bottom" },
  { id: "account", title: "nav.account", icon: AccountIcon, view: AccountScreen, rail: "bottom" },
  { id: "setup", title: "setup.title", icon: PlusIcon, view: SetupScreen, rail: "none" },
]

/** Of whoever is signed in. */
export const openScreens = (): readonly Screen[] => SCREENS.filter(({ id }) => screenOpen(id))

/** An unknown address, or one that is not open to this person, opens the first screen that is. */
export const screenOf = (id: string): Screen => {
  const open = openScreens()
  return open.find((screen) => screen.id === id) ?? open[0] ?? SCREENS[0]
}
