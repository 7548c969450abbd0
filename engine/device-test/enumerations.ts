/**
 * The words that MIBs have for their numbers, spelled as they spell them: IF-MIB (RFC 2863), OSPF-MIB
 * (RFC 4750), BGP4-MIB (RFC 4273), ENTITY-SENSOR-MIB (RFC 3433). A number that a MIB does not know stays visible.
 */

/** `words[0]` is the word of 1. */
export const IF_ADMIN_STATUS = ["up", "down", "testing"] as const
export const IF_OPER_STATUS = ["up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"] as const
export const OSPF_NBR_STATE = [
  "down",
  "attempt",
  "init",
  "twoWay",
  "exchangeStart",
  "exchange",
  "loading",
  "full",
] as const
export const BGP_PEER_STATE = ["idle", "connect", "active", "opensent", "openconfirm", "established"] as const
export const BGP_ADMIN_STATUS = ["stop", "start"] as const
export const SENSOR_TYPE = [
  "other",
  "unknown",
  "voltsAC",
  "voltsDC",
  "amperes",
  "watts",
  "hertz",
  "celsius",
  "percentRH",
  "rpm",
  "cmm",
  "truthvalue",
] as const
export const SENSOR_STATUS = ["ok", "unavailable", "nonoperational"] as const

/** The word of a number; `undefined(N)` for a number outside the list; null when there is no number. */
export const word = (words: readonly string[], number: number | null): string | null =>
  number === null ? null : (words[number - 1] ?? `undefined(${number})`)
