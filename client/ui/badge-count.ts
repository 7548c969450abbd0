/** The figure on a rail's icon. Its name says the same figure: whoever speaks to the page says what stands there (WCAG 2.5.3). */

/** More is no more news, and would be wider than the icon. */
const BADGE_MAX = 999

export const badgeCount = (count: number): string => (count > BADGE_MAX ? `${BADGE_MAX}+` : String(count))
