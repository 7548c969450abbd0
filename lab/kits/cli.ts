/** `npm run lab -- kit ...`: writes what a user needs to build the reference lab with RouterOS images of his own. */
import { mkdirSync, writeFileSync } from "node:fs"
import { isIPv4 } from "node:net"
import { dirname, join } from "node:path"
import process from "node:process"
import type { ReferenceLab } from "#lab/kits/reference.ts"
import type { Dialect, KitOptions } from "#lab/kits/rsc.ts"
import { CLAB_MANAGEMENT, clabFiles } from "#lab/kits/containerlab.ts"
import { eveFiles } from "#lab/kits/eve-ng.ts"
import { addressingPlan, importText } from "#lab/kits/plan.ts"
import { hostOf, referenceLab } from "#lab/kits/reference.ts"
import { DIALECTS, routerScript } from "#lab/kits/rsc.ts"
import { folderSecrets } from "#lab/kits/secrets.ts"

export const KIT_HELP = `usage: npm run -s lab -- kit KIND [options]

  chr            RouterOS scripts (.rsc), one for each router
  eve-ng         an EVE-NG lab (.unl) with these scripts inside
  containerlab   a containerlab topology (.clab.yml) with these scripts beside it
  import         the document for: heliograph import FILE
  plan           the addressing plan
  all            all of them

  --out DIR            where to write (default data/kits); its secrets.json holds the lab's passwords
  --routeros VERSION   dialect: ${DIALECTS.join(" (up to 7.19) or ")} (from there on; default 7.20)
  --engine ADDRESS     Heliograph as the routers see it (default TOOLS; for containerlab the container host)
  --syslog-port N      where Heliograph hears syslog (default 10514, its own default)

How to use them: lab/chr, lab/eve-ng and lab/containerlab, README.md. Untested on real CHR until someone runs them.
`

interface Asked {
  readonly kind: string
  readonly out: string
  readonly dialect: Dialect
  readonly engine: string | null
  readonly syslogPort: number
}

/** Files by path, relative to the output folder. */
export type KitFiles = ReadonlyMap<string, string>
type Kit = (lab: ReferenceLab, options: KitOptions, engine: string | null) => KitFiles

const KITS: Readonly<Record<string, Kit>> = {
  chr: (lab, options) =>
    new Map(
      lab.nodes
        .filter(({ kind }) => kind === "routeros")
        .map((node) => [`chr/${node.name}.rsc`, routerScript(lab, node, options)]),
    ),
  "eve-ng": (lab, options) => within("eve-ng", eveFiles(lab, options)),
  containerlab: (lab, options, engine) =>
    within("containerlab", clabFiles(lab, { ...options, engine: engine ?? CLAB_MANAGEMENT.host })),
  import: (lab, { secrets }) => new Map([["import.json", importText(lab, secrets)]]),
  plan: (lab) => new Map([["addressing-plan.md", addressingPlan(lab)]]),
}

/** The files of one kind, or of `all`. `engine` null = where each kit expects it. */
export const kitFiles = (kind: string, options: KitOptions, engine: string | null): KitFiles => {
  const lab = referenceLab()
  const kinds = kind === "all" ? Object.keys(KITS) : [kind]
  return new Map(kinds.flatMap((one) => [...KITS[one]!(lab, options, engine)]))
}

const within = (folder: string, files: KitFiles): KitFiles =>
  new Map([...files].map(([path, text]) => [`${folder}/${path}`, text]))

/** Heliograph on TOOLS itself. */
export const toolsAddress = (): string =>
  hostOf(referenceLab().nodes.find(({ name }) => name === "TOOLS")!.ports[0]!.address)

/** Exit code. */
export const kitCommand = (args: readonly string[]): number => {
  if (args[0] === undefined || args[0] === "help" || args.includes("--help")) {
    console.log(KIT_HELP)
    return 0
  }
  const asked = readKitArguments(args)
  if (typeof asked === "string") {
    console.error(`lab: ${asked}\n\n${KIT_HELP}`)
    return 2
  }
  try {
    mkdirSync(asked.out, { recursive: true })
    const { dialect, engine, syslogPort } = asked
    const secrets = folderSecrets(asked.out)
    const files = kitFiles(asked.kind, { dialect, engine: engine ?? toolsAddress(), syslogPort, secrets }, engine)
    for (const [path, text] of files) {
      const file = join(asked.out, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text, { mode: path.endsWith(".sh") ? 0o755 : 0o600 })
      console.log(file)
    }
    return 0
  } catch (cause) {
    console.error(`lab: ${cause instanceof Error ? cause.message : String(cause)}`)
    return 1
  }
}

/** Text = what is wrong. */
export const readKitArguments = ([kind = "", ...rest]: readonly string[]): Asked | string => {
  if (kind !== "all" && !Object.hasOwn(KITS, kind)) return `there is no kit "${kind}"`
  const dataDir = process.env["HELIOGRAPH_DATA_DIR"] ?? "data"
  let asked: Asked = { kind, out: join(dataDir, "kits"), dialect: "7.20", engine: null, syslogPort: 10514 }
  for (let at = 0; at < rest.length; at += 2) {
    const [option, value] = [rest[at]!, rest[at + 1]]
    if (value === undefined) return `${option} needs a value`
    if (option === "--out") asked = { ...asked, out: value }
    else if (option === "--routeros") {
      const dialect = DIALECTS.find((one) => one === value)
      if (dialect === undefined) return `--routeros is ${DIALECTS.join(" or ")}, not "${value}"`
      asked = { ...asked, dialect }
    } else if (option === "--engine") {
      if (!isIPv4(value)) return `--engine is an IPv4 address, not "${value}"`
      asked = { ...asked, engine: value }
    } else if (option === "--syslog-port") {
      if (!/^[0-9]{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535)
        return `--syslog-port is 1 to 65535, not "${value}"`
      asked = { ...asked, syslogPort: Number(value) }
    } else return `there is no option "${option}"`
  }
  return asked
}
