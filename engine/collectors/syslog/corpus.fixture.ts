/**
 * Lines as routers write them, each with the event that a person reads in it. RouterOS lines follow
 * data/routeros/SAMPLES.md and public logs (forum posts, log parsers); FRR lines are those of the lab's FRR 8.4;
 * Cisco and Junos lines follow their message references. Lines marked null mean nothing to the twin.
 */
import type { SyslogEvent } from "#engine/collectors/syslog/event.ts"

const port = (ifName: string, up: boolean): SyslogEvent => ({ type: "interface", ifName, up })
const ospf = (remote: string, state: string): SyslogEvent => ({ type: "ospf", remote, state })
const bgp = (remote: string, up: boolean): SyslogEvent => ({ type: "bgp", remote, up })
const auth = (user: string, from: string): SyslogEvent => ({ type: "auth-failed", user, from })
const rebooted: SyslogEvent = { type: "rebooted" }

const v7Ospf = (id: string, from: string, to: string): string =>
  `route,ospf,info backbonev2 { version: 2 router-id: 172.16.0.1 } backbone0v2 { 0.0.0.0 } interface { broadcast ` +
  `172.16.255.1%inter-router-link0 } neighbor { router-id: ${id} state: ${from} } state change to ${to}`

export const CORPUS: ReadonlyArray<readonly [line: string, event: SyslogEvent | null]> = [
  // RouterOS: links
  ["interface,info ether1 link down", port("ether1", false)],
  ["interface,info ether1 link up (speed 1G, full duplex)", port("ether1", true)],
  ["interface,info sfp-sfpplus1 link up (speed 10G, full duplex)", port("sfp-sfpplus1", true)],
  ["interface,warning ether2 link down", port("ether2", false)],
  ["interface,info ether1: link down", port("ether1", false)],
  ["interface,info wan: STCable (eth1) link down", port("wan: STCable (eth1)", false)],
  ["interface,info uplink link up to core link up (speed 100M, full duplex)", port("uplink link up to core", true)],
  ["<132>Aug 15 10:27:30 MikroTik-CCR interface,info ether5 link down", port("ether5", false)],
  ["<30>Oct  2 16:51:21 core-1 ether5 link up (speed 2.5G, full duplex)", port("ether5", true)],
  ["<30>2025-01-15T14:23:45Z core-1 interface,info bonding1 link down", port("bonding1", false)],
  ["<134>interface,info vlan100 link up", port("vlan100", true)],
  [
    "2025-11-22T21:24:35.265-0500 router.isz.wtf CEF:0|MikroTik|RB4011iGS+|7.20.4 (stable)|44|interface,info|Low|dvchost=router dvc=172.30.97.3 msg=ether3 link down",
    port("ether3", false),
  ],
  ["interface,info ether1 detect UNKNOWN", null],
  ["interface,info ether1 link is down they say", null],
  // RouterOS: OSPF
  [v7Ospf("172.16.0.2", "Loading", "Full"), ospf("172.16.0.2", "full")],
  [v7Ospf("172.16.0.2", "Down", "Init"), ospf("172.16.0.2", "init")],
  [v7Ospf("172.16.0.2", "Full", "Down"), ospf("172.16.0.2", "down")],
  [v7Ospf("172.16.0.9", "Init", "TwoWay"), ospf("172.16.0.9", "2way")],
  [v7Ospf("172.16.0.9", "TwoWay", "ExStart"), ospf("172.16.0.9", "exstart")],
  ["route,ospf,info OSPFv2 neighbor 10.255.0.2: state change from Full to Down", ospf("10.255.0.2", "down")],
  ["route,ospf,info OSPFv2 neighbor 10.255.0.2: state change from Loading to Full", ospf("10.255.0.2", "full")],
  ["route,ospf,info OSPFv2 neighbor 10.255.0.2: state change from Init to 2-Way", ospf("10.255.0.2", "2way")],
  ["<30>Oct  2 16:51:21 core-1 OSPFv2 neighbor 10.255.0.3: state change from Full to Init", ospf("10.255.0.3", "init")],
  ["route,ospf,warning Discarding Hello packet: mismatch in hello-interval", null],
  // RouterOS: BGP
  ["route,bgp,info Established { l_addr: 10.0.0.1, r_addr: 10.0.0.2 }", bgp("10.0.0.2", true)],
  ["route,bgp,error HoldTimer expired { l_addr: 10.0.0.1, r_addr: 10.0.0.2 }", bgp("10.0.0.2", false)],
  ["route,bgp,info Connection closed by remote { l_addr: 10.0.0.1, r_addr: 2001:db8::2 }", bgp("2001:db8::2", false)],
  ["route,bgp,error Hold timer expired RemoteAddress=10.200.12.1", bgp("10.200.12.1", false)],
  ["route,bgp,info {instance: bgp-instance-1 peer: 10.255.0.4} Established", bgp("10.255.0.4", true)],
  ["route,bgp,error HoldTimer expired {peer: 10.255.0.4}", bgp("10.255.0.4", false)],
  ["bgp,info Session to 192.168.11.1 established", bgp("192.168.11.1", true)],
  ["bgp,error Session to 192.168.11.1 closed: hold timer expired", bgp("192.168.11.1", false)],
  ["bgp,info BGP session 103.11.20.1 (AS13335) state changed to ESTABLISHED", bgp("103.11.20.1", true)],
  [
    "<27>Jun  6 14:22:05 edge bgp,error: peer 10.0.0.254 (AS 65100) session down, hold-time expired (180s)",
    bgp("10.0.0.254", false),
  ],
  ["route,bgp,info TCP connection established RemoteAddress=10.200.12.1", null],
  ["route,bgp,info     RemoteAddress=10.200.12.1", null],
  ["bgp,error Session ISP-B: route limit exceeded (800k)", null],
  // RouterOS: PPP
  ["pppoe,ppp,info <pppoe-cliente1>: connected", port("<pppoe-cliente1>", true)],
  ["pppoe,ppp,info <pppoe-cliente1>: terminating... - peer is not responding", port("<pppoe-cliente1>", false)],
  ["pppoe,ppp,info <pppoe-cliente1>: disconnected", port("<pppoe-cliente1>", false)],
  ["<134>Aug 15 10:28:00 MikroTik-CCR pppoe,ppp,info <pppoe-joão@isp>: disconnected", port("<pppoe-joão@isp>", false)],
  ["pppoe,ppp,info pppoe-out1: disconnected", port("pppoe-out1", false)],
  ["pppoe,ppp,info pppoe-out1: connected", port("pppoe-out1", true)],
  ["l2tp,ppp,info <l2tp-site7>: connected", port("<l2tp-site7>", true)],
  ["pppoe,ppp,info,account maria logged in, 10.20.0.10 from 18:FD:74:22:23:B7", port("<pppoe-maria>", true)],
  [
    "pppoe,ppp,info,account maria logged out, 3600 1024 2048 10 20 from 18:FD:74:22:23:B7",
    port("<pppoe-maria>", false),
  ],
  ["pppoe,ppp,error <0010>: user maria authentication failed", auth("maria", "")],
  ["pppoe,ppp,error <0010>: user maria authentication failed - radius timeout", auth("maria", "")],
  ["Sep 02 17:20:14 CORE-RTR pppoe,ppp,error <pppoe-cust-A007>: authentication failed", auth("cust-A007", "")],
  ["pppoe,ppp,info <pppoe-maria>: authenticated", null],
  ["pppoe,ppp,info pppoe-out1: dialing...", null],
  ["pppoe,info PPPoE connection established from 18:FD:74:22:23:B7", null],
  // RouterOS: logins and boots
  ["system,error,critical login failure for user admin from 65.160.140.13 via ssh", auth("admin", "65.160.140.13")],
  [
    "system,error,critical login failure for user x from y via z from 10.0.0.9 via winbox",
    auth("x from y via z", "10.0.0.9"),
  ],
  ["system,error,critical login failure for user admin via local", auth("admin", "")],
  ["system,info router rebooted", rebooted],
  ["system,info router rebooted by ssh:admin@10.1.1.2", rebooted],
  ["system,error,critical router was rebooted without proper shutdown, probably power outage", rebooted],
  ["system,error,critical router rebooted without proper shutdown by watchdog timer", rebooted],
  ["system,info,account user admin logged in from 10.0.0.9 via ssh", null],
  ["system,info filter rule moved by ssh:aether@10.1.1.2 ()", null],
  ["dhcp,info dhcp1 assigned 192.168.89.2 to 0C:B3:19:29:08:13", null],
  ["wireless,info 0C:B3:19:29:08:13@wlan1: connected", null],
  // FRR 8.4, rfc5424 through the lab's relay
  [
    "<13>1 2026-11-20T10:00:00.000000+00:00 c1 ospfd 211 - - AdjChg: Nbr 10.255.0.2(default) on eth1:10.0.0.1: Full -> Deleted (KillNbr)",
    ospf("10.255.0.2", "down"),
  ],
  [
    "<13>1 2026-11-20T10:00:00+00:00 c1 ospfd 211 - - [XY-12] AdjChg: Nbr 10.255.0.2(default) on eth1:10.0.0.1: Loading -> Full (LoadingDone)",
    ospf("10.255.0.2", "full"),
  ],
  [
    "<13>1 2026-11-20T10:00:00+00:00 c1 bgpd 212 - - [M59KS-A3ZXZ] bgp_update: %ADJCHANGE: neighbor 10.0.0.1(Unknown) in vrf default Up",
    bgp("10.0.0.1", true),
  ],
  [
    "<13>1 2026-11-20T10:00:00+00:00 c1 bgpd 212 - - %ADJCHANGE: neighbor 10.0.0.1(b2) in vrf default Down Peer closed the session",
    bgp("10.0.0.1", false),
  ],
  [
    "<14>Nov 20 10:00:00 c1 bgpd[212]: %ADJCHANGE: neighbor 2001:db8::1(Unknown) in vrf default Down BGP Notification received",
    bgp("2001:db8::1", false),
  ],
  [
    "<14>Nov 20 10:00:00 c1 bgpd[212]: %NOTIFICATION: received from neighbor 10.0.0.1 4/0 (Hold Timer Expired) 0 bytes",
    null,
  ],
  ["<14>1 2026-11-20T10:00:00Z c1 kernel - - - eth1: NIC Link is Down", port("eth1", false)],
  [
    "<6>Nov 20 10:00:00 c1 kernel: igb 0000:01:00.0 eth1: igb: eth1 NIC Link is Up 1000 Mbps Full Duplex",
    port("eth1", true),
  ],
  ["<14>1 2026-11-20T10:00:00Z c1 systemd - - - Reached target multi-user.target - Multi-User System.", null],
  // Cisco IOS, IOS XE, IOS XR
  [
    "<187>29: *Mar  1 18:46:11.000: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
    port("GigabitEthernet0/1", false),
  ],
  [
    "<189>30: r1: Mar  1 18:46:12: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/1, changed state to up",
    port("GigabitEthernet0/1", true),
  ],
  ["<189>31: %LINK-5-CHANGED: Interface Vlan10, changed state to administratively down", port("Vlan10", false)],
  [
    "<189>32: %OSPF-5-ADJCHG: Process 1, Nbr 10.1.1.1 on GigabitEthernet0/0 from LOADING to FULL, Loading Done",
    ospf("10.1.1.1", "full"),
  ],
  [
    "<189>33: %OSPF-5-ADJCHG: Process 1, Nbr 10.1.1.1 on Gi0/0 from FULL to DOWN, Neighbor Down: Dead timer expired",
    ospf("10.1.1.1", "down"),
  ],
  ["<189>34: %BGP-5-ADJCHANGE: neighbor 10.2.2.2 Up", bgp("10.2.2.2", true)],
  ["<189>35: %BGP-5-ADJCHANGE: neighbor 10.2.2.2 vpn vrf CUST-Up Down Peer closed the session", bgp("10.2.2.2", false)],
  [
    "<189>36: RP/0/RSP0/CPU0:Jun  1 10:00:00.000 : ospf[1010]: %ROUTING-OSPF-5-ADJCHG : Process 1, Nbr 10.3.3.3 on Gi0/0/0/0 in area 0 from FULL to DOWN, Neighbor Down",
    ospf("10.3.3.3", "down"),
  ],
  [
    "<189>37: %ROUTING-BGP-5-ADJCHANGE : neighbor 10.3.3.4 Down - BGP Notification received (VRF: default) (AS: 65000)",
    bgp("10.3.3.4", false),
  ],
  [
    "<189>38: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/0/0/1, changed state to Down",
    port("TenGigE0/0/0/1", false),
  ],
  ["<189>39: %SYS-5-RESTART: System restarted --", rebooted],
  [
    "<188>40: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: root] [Source: 10.9.9.9] [localport: 22] [Reason: Login Authentication Failed]",
    auth("root", "10.9.9.9"),
  ],
  ["<189>41: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.9)", null],
  // Junos
  [
    "<28>Nov 20 10:00:00 pe1 mib2d[1]: SNMP_TRAP_LINK_DOWN: ifIndex 530, ifAdminStatus up(1), ifOperStatus down(2), ifName ge-0/0/1",
    port("ge-0/0/1", false),
  ],
  [
    "<28>Nov 20 10:00:00 pe1 mib2d[1]: SNMP_TRAP_LINK_UP: ifIndex 530, ifAdminStatus up(1), ifOperStatus up(1), ifName ge-0/0/1",
    port("ge-0/0/1", true),
  ],
  [
    "<29>Nov 20 10:00:00 pe1 rpd[2]: RPD_OSPF_NBRDOWN: OSPF neighbor 10.0.0.2 (realm ospf-v2 ge-0/0/0.0 area 0.0.0.0) state changed from Full to Down",
    ospf("10.0.0.2", "down"),
  ],
  [
    "<28>Nov 20 10:00:00 pe1 rpd[2]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 10.0.0.3 (External AS 65001) changed state from OpenConfirm to Established (event Open)",
    bgp("10.0.0.3", true),
  ],
  [
    "<28>Nov 20 10:00:00 pe1 rpd[2]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 10.0.0.3 (External AS 65001) changed state from Established to Idle (event Stop)",
    bgp("10.0.0.3", false),
  ],
  [
    "<28>Nov 20 10:00:00 pe1 rpd[2]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 10.0.0.3 (External AS 65001) changed state from Idle to Connect",
    null,
  ],
]
