/** Inline icons, drawn on a 24-pixel grid, and the six marks in the shapes that the map draws. Decorative: the text says it. */
import type { ComponentChildren } from "preact"
import type { Mark } from "#client/map/mark.ts"

const Svg = ({ children, size = 20 }: { children: ComponentChildren; size?: number }) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.7"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    {children}
  </svg>
)

export const BrandIcon = ({ size = 24 }: { size?: number }) => (
  <Svg size={size}>
    <path d="M11 7 6.6 16.4M13 7l4.4 9.4M12 7.6V13" />
    <circle cx="12" cy="5" r="2.3" fill="currentColor" />
    <circle cx="5.5" cy="18.5" r="2.3" fill="currentColor" />
    <circle cx="18.5" cy="18.5" r="2.3" fill="currentColor" />
  </Svg>
)
export const MapIcon = () => (
  <Svg>
    <path d="m3.5 6.2 5.5-2.4 6 2.8 5.5-2.4v13.6L15 20.2l-6-2.8-5.5 2.4zM9 3.8v13.6M15 6.6v13.6" />
  </Svg>
)
export const IncidentsIcon = () => (
  <Svg>
    <path d="M12 3.4 20.6 12 12 20.6 3.4 12z" />
    <path d="M12 8.4v4.2M12 15.4v.1" />
  </Svg>
)
export const GraphIcon = () => (
  <Svg>
    <rect x="9" y="3.5" width="6" height="4.6" rx="1.4" />
    <rect x="3.2" y="15.9" width="6" height="4.6" rx="1.4" />
    <rect x="14.8" y="15.9" width="6" height="4.6" rx="1.4" />
    <path d="M12 8.1V12M6.2 15.9V12h11.6v3.9" />
  </Svg>
)
export const ReplayIcon = () => (
  <Svg>
    <circle cx="12" cy="12" r="8.5" />
    <path d="m11.6 8.6-3.4 3.4 3.4 3.4M15.8 8.6 12.4 12l3.4 3.4" />
  </Svg>
)
export const PlayIcon = () => (
  <Svg>
    <path d="M7.5 5v14l11-7z" fill="currentColor" />
  </Svg>
)
export const PauseIcon = () => (
  <Svg>
    <path d="M8.5 5.5v13M15.5 5.5v13" />
  </Svg>
)
export const BackIcon = () => (
  <Svg>
    <path d="m11.5 6-6 6 6 6M18.5 6l-6 6 6 6" />
  </Svg>
)
export const ForwardIcon = () => (
  <Svg>
    <path d="m12.5 6 6 6-6 6M5.5 6l6 6-6 6" />
  </Svg>
)
export const NextEventIcon = () => (
  <Svg>
    <path d="M5.5 6v12l8-6zM17.5 5.5v13" />
  </Svg>
)
export const DevicesIcon = () => (
  <Svg>
    <rect x="3.5" y="4.5" width="17" height="6.4" rx="1.8" />
    <rect x="3.5" y="13.1" width="17" height="6.4" rx="1.8" />
    <path d="M7 7.7h.01M7 16.3h.01M11 7.7h6M11 16.3h6" />
  </Svg>
)
export const EventsIcon = () => (
  <Svg>
    <path d="M3.5 12a8.5 8.5 0 1 0 2.8-6.3L3.5 8M3.5 4v4h4M12 7.5V12l3 2" />
  </Svg>
)
export const AdminIcon = () => (
  <Svg>
    <path d="M12 3.2 5 6v5.2c0 4.4 2.9 7.6 7 9.4 4.1-1.8 7-5 7-9.4V6zM9 11.8l2.2 2.2 3.9-4.2" />
  </Svg>
)
export const AccountIcon = () => (
  <Svg>
    <circle cx="12" cy="8.2" r="3.7" />
    <path d="M4.8 20c.6-3.8 3.5-6 7.2-6s6.6 2.2 7.2 6" />
  </Svg>
)
export const SearchIcon = () => (
  <Svg size={16}>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </Svg>
)
export const MoonIcon = () => (
  <Svg size={18}>
    <path d="M20 14.2A8.3 8.3 0 0 1 9.8 4 8.3 8.3 0 1 0 20 14.2z" />
  </Svg>
)
export const SunIcon = () => (
  <Svg size={18}>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
  </Svg>
)
export const HelpIcon = () => (
  <Svg size={18}>
    <circle cx="12" cy="12" r="8.7" />
    <path d="M9.6 9.4a2.5 2.5 0 1 1 3.5 2.4c-.8.4-1.1.9-1.1 1.7M12 16.6h.01" />
  </Svg>
)
export const SignOutIcon = () => (
  <Svg size={18}>
    <path d="M14 4.5h4a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5h-4M10 8l-4 4 4 4M6.5 12H15" />
  </Svg>
)
export const CloseIcon = () => (
  <Svg size={16}>
    <path d="m6 6 12 12M18 6 6 18" />
  </Svg>
)
export const PlusIcon = () => (
  <Svg size={16}>
    <path d="M12 5v14M5 12h14" />
  </Svg>
)
export const MinusIcon = () => (
  <Svg size={16}>
    <path d="M5 12h14" />
  </Svg>
)
export const FitIcon = () => (
  <Svg size={16}>
    <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />
  </Svg>
)
export const FlowIcon = () => (
  <Svg size={16}>
    <path d="M3 8.5h10M10 5l3.5 3.5L10 12M21 15.5H11M14 12l-3.5 3.5L14 19" />
  </Svg>
)
export const CheckIcon = ({ size = 28 }: { size?: number }) => (
  <Svg size={size}>
    <circle cx="12" cy="12" r="9" />
    <path d="m8 12.3 2.8 2.8L16.2 9.6" />
  </Svg>
)
export const AlertsIcon = () => (
  <Svg>
    <path d="M12 4.2 21 19.6H3zM12 10v4.4M12 17h.01" />
  </Svg>
)
export const RulesIcon = () => (
  <Svg>
    <path d="M4 7h8M16.5 7H20M4 12h2.5M11 12h9M4 17h10M18.5 17H20" />
    <circle cx="14.2" cy="7" r="2.2" />
    <circle cx="8.8" cy="12" r="2.2" />
    <circle cx="16.2" cy="17" r="2.2" />
  </Svg>
)
export const WhatIfIcon = () => (
  <Svg>
    <path d="M9.3 3.5h5.4M10.5 3.5v5.6L4.8 18.6a1.7 1.7 0 0 0 1.5 2.6h11.4a1.7 1.7 0 0 0 1.5-2.6L13.5 9.1V3.5M7.8 15h8.4" />
  </Svg>
)
export const InboxIcon = () => (
  <Svg>
    <path d="M3.6 13.4 6.5 5.2h11l2.9 8.2v4.9a1.7 1.7 0 0 1-1.7 1.7H5.3a1.7 1.7 0 0 1-1.7-1.7zM3.6 13.4h5l1.3 2.6h4.2l1.3-2.6h5" />
  </Svg>
)
export const CalendarIcon = () => (
  <Svg>
    <rect x="3.8" y="5.4" width="16.4" height="14.8" rx="2" />
    <path d="M3.8 10h16.4M8 3.4v4M16 3.4v4M8 14h3M14 14h2M8 17h1" />
  </Svg>
)
export const ChevronIcon = ({ open }: { open: boolean }) => (
  <Svg size={14}>
    <path d={open ? "m5 8.5 7 7 7-7" : "m8.5 5 7 7-7 7"} />
  </Svg>
)

/** The mark's shape in its colour. */
export const MarkIcon = ({ mark, size = 14 }: { mark: Mark; size?: number }) => (
  <svg class={`mark mark-${mark}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
    {SHAPES[mark]}
  </svg>
)
const SHAPES: Readonly<Record<Mark, ComponentChildren>> = {
  critical: <path d="M8 .8 15.2 8 8 15.2.8 8z" fill="currentColor" />,
  major: <path d="M8 1.6 15.4 14H.6z" fill="currentColor" />,
  warning: <circle cx="8" cy="8" r="6.2" fill="currentColor" />,
  unknown: <circle cx="8" cy="8" r="4.9" fill="none" stroke="currentColor" stroke-width="2" />,
  maintenance: <rect x="2.4" y="2.4" width="11.2" height="11.2" rx="1" fill="currentColor" />,
  ok: <circle cx="8" cy="8" r="3.9" fill="currentColor" />,
}
