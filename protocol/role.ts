/**
 * Roles of a device in an ISP. A device may hold several; the first one decides the map's level of detail.
 * The order is part of the wire (a role travels as its index): append only.
 */
export const ROLES = [
  "core",
  "rr",
  "edge",
  "agg",
  "access",
  "customer-edge",
  "bng",
  "upstream",
  "peering",
  "dns",
  "server",
  "other",
] as const
export type Role = (typeof ROLES)[number]
export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text)
