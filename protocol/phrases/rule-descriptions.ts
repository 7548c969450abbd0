/** What the shipped rules say about themselves, by rule id; their truth is twin/alert/packs, which a test there holds them to. */
export const ruleDescriptions = {
  "rule.ospf-not-full.description":
    "On broadcast segments 2way is normal between routers that are neither DR nor BDR: scope those out.",
  "rule.ospf-flap.description":
    "More than three changes in ten minutes: every one makes all routers compute their paths anew.",
  "rule.ospf-stuck.description": "Nearly always two ends with different MTU.",
  "rule.ospf-silent.description":
    "A neighbour that went away altogether has no state any more; the device itself still answers.",
  "rule.bgp-session-down.description": "Not Established for a minute.",
  "rule.bgp-rr-session-down.description":
    "The variant for route reflectors: half the time, always critical. It outweighs bgp-session-down there.",
  "rule.bgp-flap.description": "Neighbours may dampen the routes of a session that flaps.",
  "rule.bgp-flaps-counted.description":
    "The device's own counter grew by three or more in a quarter of an hour: polls alone can miss short resets.",
  "rule.bgp-prefix-drop.description":
    "Off as shipped: peers that announce few prefixes swing without anything being wrong.",
  "rule.bgp-prefix-surge.description": "Off as shipped. A customer or peer that leaks a table looks like this.",
  "rule.bgp-no-prefixes.description": "The session is up and useless: a filter, or a neighbour with nothing to say.",
  "rule.device-unreachable.description":
    "Three pings in a row were lost: the pinger's own verdict, told at once. Two reports of answers end it.",
  "rule.device-no-contact.description":
    "For devices that nobody pings: three attempts of the collectors in a row were in vain.",
  "rule.management-plane-down.description": "The device forwards, and cannot be asked or configured.",
  "rule.snmp-silent.description": "An access list, a changed community or user, or an agent that died.",
  "rule.device-rebooted.description": "Stays for five minutes.",
  "rule.device-reboots-again.description": "Power, heat, memory, or a crash that repeats.",
  "rule.device-flaps.description": "An unstable path or unstable power.",
  "rule.redundancy-lost.description": "One more failure takes it away. Ends when it has two ways again.",
  "rule.telemetry-absent.description":
    "What is not measured cannot be judged: every other rule of this device is blind.",
  "rule.utilization-80.description": "Mean of ten minutes above 80 %.",
  "rule.utilization-95.description": "Mean of five minutes above 95 %.",
  "rule.congestion.description": "A full interface is a plan; a full interface with long round trips is a queue.",
  "rule.traffic-collapse.description":
    "Off as shipped: links with little traffic swing. Scope it to those that never sleep.",
  "rule.rx-errors.description": "Mean of ten minutes above 1 a second.",
  "rule.tx-errors.description": "Mean of ten minutes above 1 a second.",
  "rule.rx-discards.description": "Mean of ten minutes above 10 a second.",
  "rule.tx-discards.description": "Mean of ten minutes above 10 a second.",
  "rule.errors-doubled.description":
    "Off as shipped: it keeps a week of means for each interface (17 KB). Optics and connectors age like this.",
  "rule.interface-down.description":
    "It should be up (admin), it was seen to go down within the day, and two readings confirm it. A port that never was up is no fault: it stays silent.",
  "rule.interface-flap.description": "Four changes in ten minutes.",
  "rule.interface-shut.description": "Somebody did this; it stays for ten minutes so that nobody wonders.",
  "rule.loss-2.description": "Mean loss above 2 % over five minutes.",
  "rule.loss-20.description": "Mean loss above 20 % over a minute, for a minute.",
  "rule.rtt-p95.description":
    "One limit for the whole tenant; make variants of this name scoped to the sites of a region for its own.",
  "rule.rtt-risen.description": "Usually traffic that took another path; below 20 ms nobody minds.",
  "rule.jitter-high.description": "Voice and video suffer from here on.",
  "rule.tcp-service-down.description": "Three probes in a row failed.",
  "rule.http-service-down.description": "Three probes in a row failed.",
  "rule.dns-down.description": "To a subscriber, no DNS is no internet.",
  "rule.dns-slow.description": "Every page waits for several of these.",
  "rule.pppoe-drop.description": "A fifth gone within five minutes; half gone is critical.",
  "rule.pppoe-none.description": "There were more than ten within the hour.",
  "rule.pppoe-churn.description": "Sessions that end and begin again: a flapping access link, or a wrong timeout.",
  "rule.pppoe-auth-failures.description": "RADIUS refuses, or its data base is away; or somebody guesses.",
  "rule.radius-down.description": "Who is connected stays; who disconnects does not come back.",
  "rule.dhcp-drop.description": "Below 60 % of the mean of the hour before.",
  "rule.nat-surge.description": "An infected subscriber or an attack fills the table for everybody.",
  "rule.cpu-high.description": "Mean of ten minutes above 85 %; above 95 % it is critical.",
  "rule.memory-high.description": "For ten minutes more than 90 % of the memory that there is.",
  "rule.temperature-high.description": "70 °C warns, 80 °C is critical; recovered after ten minutes below 65 °C.",
  "rule.temperature-rising.description": "A fan or the room's cooling has failed, long before the limit is reached.",
  "rule.voltage-sag.description":
    "8 % below the mean of the hour before, whatever the nominal voltage is: the site may run on its batteries.",
  "rule.power-drop.description": "One of two supplies has died, or a card has.",
  "rule.disk-growing.description":
    "Logs, captures or a download. There is no metric for the size of the disk, so growth is what can be judged.",
  "rule.clock-skew.description": "Logs cannot be put in order, certificates fail.",
  "rule.conntrack-surge.description": "An attack or a scan; when the table is full, new connections fail.",
  "rule.routes-dropped.description": "Whatever the protocol, the table shrank.",
  "rule.auth-guessing.description": "Somebody guesses, or a program has an old password.",
  "rule.version-changed.description": "Stays for a quarter of an hour.",
  "rule.optical-rx-low.description":
    "Limits for long reach modules; make a variant of this name for others. A port without light reads -40 or lower.",
  "rule.optical-rx-falling.description":
    "Half the light is gone within an hour: a bent fibre, a dirty connector, a cable being dug up.",
  "rule.optical-tx-low.description": "The laser ages or is off.",
  "rule.wireless-signal-low.description": "Mean of ten minutes below -75 dBm.",
  "rule.wireless-signal-lost.description": "Rain, a moved antenna, a new obstacle, water in a connector.",
  "rule.wireless-ccq-low.description": "Frames are sent again and again: interference, most often.",
  "rule.engine-polls-late.description":
    "For two minutes one poll in a hundred began more than two seconds late: the engine has too much to do.",
  "rule.engine-database-away.description":
    "Polling, the map and alerts go on, and nothing is lost while the spool has room; sign-in, history and changes wait.",
  "rule.engine-spool-filling.description":
    "When it is full inputs wait, old polls are dropped and events are pushed back.",
  "rule.engine-journal-lag.description":
    "Neither database nor spool keeps up. What waits would be lost with the engine's process.",
  "rule.engine-inputs-refused.description":
    "Polls, traps or lines found no room within five minutes. A poll that a newer one overtakes is not counted.",
  "rule.engine-quota-dropped.description":
    "Within a quarter of an hour samples, traps or lines beyond a quota were dropped: the twin does not see them.",
  "rule.engine-history-behind.description":
    "For ten minutes and more the history has not caught up with the journal; nothing is lost yet.",
  "rule.engine-history-dropped.description": "The database was away for longer than memory and journal could bridge.",
  "rule.engine-device-quarantined.description":
    "A defect of the engine. What these devices say is left out for a while; all others go on.",
  "rule.engine-loop-late.description":
    "For two minutes one turn in a hundred came more than a quarter of a second late. Platform's own tenant only.",
  "rule.engine-memory-high.description":
    "Even after each collection of garbage little was free for five minutes. Platform's own tenant only.",
  "rule.engine-disk-low.description":
    "The spool, the embedded database and backups lie there. Platform's own tenant only.",
  "rule.engine-viewers-dropped.description":
    "Within five minutes; a screen comes back by itself. Many of them: the network to the screens, or the engine's load. Platform's own tenant only.",
  "rule.transit-out.description":
    "Our own network is well, no eBGP session of this transit is established, and several sites have lost the public targets that they watch.",
  "rule.transit-beyond.description": "Something beyond our own edges is broken. Who it is cannot be told from here.",
  "rule.transit-session-down.description":
    "Public targets still answer by another way, or nobody watches any, or the fault is our own.",
  "rule.service-down.description":
    "Nothing of what does its work is left, or a group that it hangs on has less than it needs.",
  "rule.service-degraded.description":
    "It goes on with less: a resolver of two, a core router of four, a session of two.",
} as const
