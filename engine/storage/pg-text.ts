/**
 * Text that came from a device or a person, made storable: PostgreSQL refuses NUL in text (22021), and half of a
 * surrogate pair in jsonb; one such character would cost the whole batch. Everything else is kept as it is: it is
 * escaped where it is shown, not where it is stored.
 */

/** At most `max` UTF-16 units; NUL and lone surrogates become U+FFFD. */
export const pgText = (text: string, max: number): string =>
  (text.length > max ? text.slice(0, max) : text).toWellFormed().replaceAll("\u0000", "\uFFFD")
