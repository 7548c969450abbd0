/**
 * An alert in one line that says which device it is of: its summary as it is where that names the device, else with the
 * device's name before it. A name is there as a whole word only: `R10` does not name `R1`.
 */
import type { Symptom } from "#twin/incident/state.ts"

export const namedOnce = ({ deviceName, summary }: Pick<Symptom, "deviceName" | "summary">): string =>
  isNamed(summary, deviceName) ? summary : `${deviceName}: ${summary}`

const isNamed = (text: string, name: string): boolean => {
  if (name === "") return false
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
    if (!OF_A_NAME.test(text.slice(at - 1, at)) && !OF_A_NAME.test(text.slice(at + name.length).slice(0, 1)))
      return true
  return false
}

/** What may go on a name. */
const OF_A_NAME = /[\p{L}\p{N}_.-]/u
