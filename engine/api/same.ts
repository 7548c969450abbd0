/**
 * Whether a schema of the API and an interface of the protocol are the same type, at compile time: `never` where they no
 * longer are, so that what is written beside it does not compile.
 */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
