/** Menus of what a router was told to do itself: who may sign in, and what it watches outside of the network (Netwatch). */
import type { Menu } from "#lab/routeros/menus.ts"
import { rowId } from "#lab/routeros/text.ts"

const READ_POLICY =
  "read,test,api,!local,!telnet,!ssh,!ftp,!reboot,!write,!policy,!winbox,!password,!web,!sniff,!sensitive,!romon,!rest-api"

export const users: Menu = ({ network, router }) => [
  { ".id": "*2", name: network.isp.routers[router]!.routeros!.user, group: "monitor", address: "", disabled: "false" },
]
export const userGroups: Menu = () => [{ ".id": "*5", name: "monitor", policy: READ_POLICY, skin: "default" }]

/** Well-known resolvers that every router of the backbone pings. They answer while it has a way to an upstream. */
const PUBLIC_TARGETS = ["1.1.1.1", "8.8.8.8"] as const
export const netwatch: Menu = ({ network, router }) =>
  network.isp.routers[router]!.roles.some((role) => role === "access" || role === "customer-edge")
    ? []
    : PUBLIC_TARGETS.map((host, nth) => ({
        ".id": rowId(nth + 1),
        host,
        type: "icmp",
        interval: "10s",
        status: network.reachesInternet(router) ? "up" : "down",
        disabled: "false",
      }))
