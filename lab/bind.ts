/** Turns what the operating system says about an address into what the person who starts the lab can do about it. */
export const bindAdvice = (cause: NodeJS.ErrnoException, address: string, port: number): string => {
  const where = `${address}:${port}`
  if (cause.code === "EADDRINUSE")
    return `${where} is taken, perhaps by another lab: stop it, or start this one with --net 127.17`
  if (cause.code === "EMFILE") return `too many open files at ${where}: raise "ulimit -n" or ask for fewer routers`
  return `cannot listen on ${where}: ${cause.message}`
}
