/** What answers of what-if rest on, and what may fail next: twin/whatif, engine/whatif. English, by code. */
export const whatIfPhrases = {
  "assumed.no-load": "no link load is measured: traffic and full links are unknown",
  "assumed.traffic":
    "traffic demands are estimated from link loads; {part:number} % of the measured traffic is not explained by them and is taken to stay between the ends of its link",
  "assumed.up.measured": "customers send {part:number} % of what they receive (measured at the exits)",
  "assumed.up": "customers send {part:number} % of what they receive (assumed: no exit is measured)",
  "assumed.blind": "{count:number} routers have links without a measured load",
  "assumed.left-out": "traffic to {count:number} small destinations of the demand matrix is left out",
  "assumed.failures":
    "failures a year are assumed: link {link:number}, router {router:number}, site {site:number}, shared-risk group {group:number}",
  "assumed.costs": "the routers' OSPF costs are not known: costs follow capacity",
  "assumed.costs.some": "the OSPF costs of {count:number} of {all:number} links are not known: they follow capacity",
  "assumed.costs.half": "the OSPF cost of {count:number} links is known at one end: it is taken for both",
  "assumed.exits": "a router uses the upstream or peer that is nearest by cost",
  "assumed.exits.edge": "no upstream is in the inventory: edge routers are taken for exits",
  "assumed.exits.core": "neither upstream nor edge is in the inventory: core routers are taken for exits",
  "assumed.exits.none": "neither upstream nor edge is in the inventory: nobody can be cut off from anything",
  "assumed.ibgp":
    "exits follow the iBGP sessions that the routers tell; local preference, AS paths and MED are not known",
  "assumed.ibgp.none": "no iBGP session is known: exits assume a full mesh of iBGP: every router hears of every exit",
  "assumed.ibgp.unclear":
    "iBGP is no full mesh and nobody is known to reflect: exits assume a full mesh of iBGP: every router hears of every exit",
  "assumed.ibgp.many":
    "more than {count:number} ways out: exits assume a full mesh of iBGP: every router hears of every exit",
  "assumed.ibgp.reflectors": "{names} are taken for route reflectors: no role says who reflects",
  "assumed.ibgp.down": "{count:number} iBGP sessions are down now and taken to stay down",
  "assumed.ibgp.silent": "{count:number} routers tell no iBGP session: they are taken to hear of every exit",
  "assumed.ibgp.unsure":
    "BGP can come to rest in more than one way: the exits of {count:number} routers hang on the order of events",
  "assumed.ibgp.deaf": "{count:number} routers have a way to an exit and no iBGP session left that tells them of one",
  "assumed.core": "a router counts as reachable when a core router reaches it",
  "assumed.core.none":
    "no core router is in the inventory: a router counts as reachable when a router next to an exit reaches it",
  "assumed.voiceless": "{count:number} routers do not answer but forward traffic: they are taken for alive",
  "assumed.one-thing": "one thing fails at a time",
  "assumed.out-of-band": "every device is reached over a management network of its own",
  "assumed.vantage": "polls and pings start next to {names}",

  "next.why": "{parts:list}; expected {times:number} times a year",
  "next.lost": "{devices:said} and {customers:said} lose service",
  "next.full": "{directions:said} would be full",
  "count.device": "1 device",
  "count.devices": "{count:number} devices",
  "count.customer": "1 customer",
  "count.customers": "{count:number} customers",
  "count.about": "about {customers:said}",
  "count.least": "at least {customers:said}",
  "count.nobody-knows": "an unknown number of customers",
  "count.direction": "1 link direction",
  "count.directions": "{count:number} link directions",

  "single.why": "no redundant path for {device}: everything passes {by}",
  "single.lost": "{single:said}; its second way is down now",

  "blind.ping": "ping {device}: {gain:said}",
  "blind.poll": "poll {device}: {gain:said}",
  "blind.from": "ping from {device} as well: {gain:said}",
  "blind.gain.one": "1 more kind of fault could be told apart",
  "blind.gain": "{count:number} more kinds of faults could be told apart",
} as const
