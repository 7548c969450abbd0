/** The address of a database for whoever only reads: a session that is told so writes nothing, whatever is asked of it. */
export const readOnlyUrl = (url: string): string => {
  const marked = new URL(url)
  const options = marked.searchParams.get("options")
  marked.searchParams.set("options", `${options === null ? "" : `${options} `}-c default_transaction_read_only=on`)
  return marked.toString()
}
