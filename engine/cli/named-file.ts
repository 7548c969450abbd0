/** A file that a person names at the command line, or standard input for `-`; and the one way in which it is told that it is wrong. */
import { readFileSync } from "node:fs"

/** It cannot be read, or not as what it should be; the words are for whoever named it. */
export class WrongFile extends Error {}

/** Throws WrongFile. */
export const readBytes = (file: string): Buffer => {
  try {
    return readFileSync(file === "-" ? 0 : file)
  } catch {
    throw new WrongFile(`${file} cannot be read`)
  }
}

/** Throws WrongFile. */
export const readText = (file: string): string => readBytes(file).toString("utf8")
