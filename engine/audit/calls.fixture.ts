/** One row of the audit's tables of routes: what a route is called with, and the one act that it writes. */
export interface Call {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
}
export type Prepare = () => Promise<Call & { readonly action: RegExp }>
