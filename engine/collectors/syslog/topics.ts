/** The topics of RouterOS' /system logging: words that open a line in its default format, and those that are severities. */

/** Topics that are severities, with RouterOS' own mapping (data/routeros/SAMPLES.md); the gravest one counts. */
export const TOPIC_SEVERITY: ReadonlyMap<string, number> = new Map([
  ["critical", 3],
  ["error", 3],
  ["warning", 4],
  ["info", 6],
  ["debug", 7],
])

export const TOPICS: ReadonlySet<string> = new Set(
  (
    "account async backup bfd bgp bridge calc caps certificate clock container critical ddns debug dhcp disk dns dot1x dude e-mail " +
    "error event evpn fetch firewall gps gsm health hotspot igmp-proxy info interface iot ipsec iscsi isis isdn kvm " +
    "l2tp ldp lldp lora lte macsec manager mme mpls mqtt natpmp netinstall netwatch nfs ntp ospf ovpn packet pim " +
    "poe-out poe ppp pppoe pptp ptp queue radius radvd raw read rip route rpki rsvp script sertcp smb snmp socksify " +
    "ssh ssl sstp state store stp supout switch system telephony tftp timer tr069 update upnp ups vpls vrrp warning " +
    "watchdog web-proxy wireguard wireless write zerotier"
  ).split(" "),
)
