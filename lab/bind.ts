/** What an address that cannot be bound means: for the person who starts the lab, and for the program that does. */

/** Exit code of a lab that cannot start because another has its address: whoever starts one may try another net. */
export const ADDRESS_TAKEN = 3

export const isAddressTaken = (error: unknown): boolean =>
  error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === "EADDRINUSE"

export const bindAdvice = (cause: NodeJS.ErrnoException, address: string, port: number): string => {
  const where = `${address}:${port}`
  if (cause.code === "EADDRINUSE")
    return `${where} is taken, perhaps by another lab: stop it, or start this one with --net 127.17`
  if (cause.code === "EMFILE") return `too many open files at ${where}: raise "ulimit -n" or ask for fewer routers`
  return `cannot listen on ${where}: ${cause.message}`
}
