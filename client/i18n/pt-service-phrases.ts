/** Sentences of the twin about services, in Portuguese, by their code (protocol/phrase.ts). */
import type { servicePhrases } from "#protocol/phrases/service.ts"

export const ptServices: Readonly<Record<keyof typeof servicePhrases, string>> = {
  "service.up": "o serviço {service} funciona",
  "service.degraded": "o serviço {service} está degradado",
  "service.down": "o serviço {service} está fora do ar",
  "service.transit.out": "Trânsito de {provider} fora do ar",
  "service.transit.out.cause": "Trânsito de {provider} fora do ar: {cause}",
  "service.transit.session": "eBGP com {provider} caiu",
  "service.transit.beyond": "Trânsito degradado além de nós: {provider}",
  "service.transit.beyond.some": "Trânsito degradado além de nós, em um destes: {providers}",
  "service.transit.inside": "o serviço {service} está fora do ar por uma falha nossa",
  "service.provider": "o fornecedor {provider}",

  "service.why.silent": "sem resposta de {device}",
  "service.why.answers": "{device} responde",
  "service.why.untold": "{device} ainda não informou nada",
  "service.why.stale": "a última notícia de {device} é antiga demais",
  "service.why.probe": "a sonda {what} de {device} falha",
  "service.why.probe.once": "a sonda {what} de {device} falhou uma vez",
  "service.why.probe.ok": "a sonda {what} de {device} tem sucesso",
  "service.why.sessions": "{device} não tem nenhuma sessão de assinante",
  "service.why.needs": "falta a {device} o que lhe é indispensável: {group}",
  "service.why.link.down": "o enlace {link} está fora do ar",
  "service.why.link.unknown": "não se sabe se o enlace {link} leva tráfego",
  "service.why.group": "{group} tem {have} de {need} necessários",
  "service.why.nothing": "nada declarado mostra como ele está",

  "service.why.ebgp.down": "nenhuma sessão eBGP de {device} em {link} está estabelecida",
  "service.why.ebgp.up": "o eBGP de {device} em {link} está estabelecido",
  "service.why.ebgp.unknown": "{device} não informa nenhuma sessão eBGP em {link}",
  "service.why.shut": "a porta de {device} em {link} foi desligada por nós",
  "service.why.pops.lost": "alvos públicos não respondem a partir de {site}",
  "service.why.pops.cut": "{site} não tem caminho até uma borda nossa",
  "service.why.pops.ok": "alvos públicos respondem a partir de {count} de {all} locais",
  "service.why.pops.none": "nenhum equipamento nosso vigia alvos públicos",
}
