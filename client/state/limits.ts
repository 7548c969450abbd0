/** The bounds of everything that the browser keeps or draws in the DOM; what happens beyond each is said beside it. */

/** Rows of "what is wrong now"; the rest is a count. */
export const TROUBLE_ROWS = 60
/** Labels of trouble on the map, worst first. */
export const MAP_LABELS = 14
/** Results of one search. */
export const SEARCH_ROWS = 12
/** Live samples appended to one chart; the oldest leave. */
export const LIVE_SAMPLES = 600
/** PRODUCT.md U9. */
export const HISTORY_POINTS = 600
/** Between two recounts of lists and tiles. */
export const SCREEN_REFRESH_MS = 500
/** Between two announcements to screen readers. */
export const ANNOUNCE_MS = 8_000
