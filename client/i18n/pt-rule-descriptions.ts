/** What the shipped rules say about themselves, in Portuguese, by rule id (protocol/phrases/rule-descriptions.ts). */
import type { ruleDescriptions } from "#protocol/phrases/rule-descriptions.ts"

export const ptRuleDescriptions: Readonly<Record<keyof typeof ruleDescriptions, string>> = {
  "rule.ospf-not-full.description":
    "Em segmentos de difusão, 2way é normal entre roteadores que não são DR nem BDR: deixe esses fora do escopo.",
  "rule.ospf-flap.description":
    "Mais de três mudanças em dez minutos: cada uma faz todos os roteadores recalcularem seus caminhos.",
  "rule.ospf-stuck.description": "Quase sempre duas pontas com MTU diferente.",
  "rule.ospf-silent.description":
    "Um vizinho que sumiu por completo não tem mais estado; o próprio dispositivo ainda responde.",
  "rule.bgp-session-down.description": "Fora de Established há um minuto.",
  "rule.bgp-rr-session-down.description":
    "A variante para refletores de rotas: metade do tempo, sempre crítica. Ali vale mais que bgp-session-down.",
  "rule.bgp-flap.description": "Vizinhos podem penalizar (damping) as rotas de uma sessão instável.",
  "rule.bgp-flaps-counted.description":
    "O contador do próprio dispositivo cresceu três ou mais em um quarto de hora: só com coletas, quedas curtas passam despercebidas.",
  "rule.bgp-prefix-drop.description":
    "Vem desligada: pares que anunciam poucos prefixos oscilam sem que haja algo errado.",
  "rule.bgp-prefix-surge.description": "Vem desligada. Um cliente ou par que vaza uma tabela aparece assim.",
  "rule.bgp-no-prefixes.description": "A sessão está de pé e é inútil: um filtro, ou um vizinho sem nada a anunciar.",
  "rule.device-unreachable.description":
    "Três pings seguidos se perderam: é o veredito de quem pinga, dito na hora. Dois relatos de resposta encerram.",
  "rule.device-no-contact.description":
    "Para dispositivos que ninguém pinga: três tentativas seguidas dos coletores foram em vão.",
  "rule.management-plane-down.description": "O dispositivo encaminha, mas não pode ser consultado nem configurado.",
  "rule.snmp-silent.description": "Uma lista de acesso, uma comunidade ou usuário trocado, ou um agente que morreu.",
  "rule.device-rebooted.description": "Permanece por cinco minutos.",
  "rule.device-reboots-again.description": "Energia, calor, memória, ou uma falha que se repete.",
  "rule.device-flaps.description": "Um caminho instável ou energia instável.",
  "rule.redundancy-lost.description": "Mais uma falha o derruba. Termina quando voltar a ter dois caminhos.",
  "rule.telemetry-absent.description":
    "O que não é medido não pode ser julgado: todas as outras regras deste dispositivo estão cegas.",
  "rule.utilization-80.description": "Média de dez minutos acima de 80 %.",
  "rule.utilization-95.description": "Média de cinco minutos acima de 95 %.",
  "rule.congestion.description":
    "Uma interface cheia é um plano; uma interface cheia com ida e volta longa é uma fila.",
  "rule.traffic-collapse.description":
    "Vem desligada: enlaces com pouco tráfego oscilam. Limite o escopo aos que nunca dormem.",
  "rule.rx-errors.description": "Média de dez minutos acima de 1 por segundo.",
  "rule.tx-errors.description": "Média de dez minutos acima de 1 por segundo.",
  "rule.rx-discards.description": "Média de dez minutos acima de 10 por segundo.",
  "rule.tx-discards.description": "Média de dez minutos acima de 10 por segundo.",
  "rule.errors-doubled.description":
    "Vem desligada: guarda uma semana de médias de cada interface (17 KB). Ópticas e conectores envelhecem assim.",
  "rule.interface-down.description":
    "Deveria estar ligada (admin), caiu dentro do último dia e duas leituras confirmam. Uma porta que nunca subiu não é falha: fica em silêncio.",
  "rule.interface-flap.description": "Quatro mudanças em dez minutos.",
  "rule.interface-shut.description": "Alguém fez isso; fica por dez minutos para que ninguém se pergunte.",
  "rule.loss-2.description": "Perda média acima de 2 % em cinco minutos.",
  "rule.loss-20.description": "Perda média acima de 20 % em um minuto, por um minuto.",
  "rule.rtt-p95.description":
    "Um só limite para todo o locatário; crie variantes com este nome, com o escopo dos locais de uma região, para um limite próprio.",
  "rule.rtt-risen.description": "Em geral é tráfego que tomou outro caminho; abaixo de 20 ms ninguém se importa.",
  "rule.jitter-high.description": "A partir daqui voz e vídeo sofrem.",
  "rule.tcp-service-down.description": "Três sondagens seguidas falharam.",
  "rule.http-service-down.description": "Três sondagens seguidas falharam.",
  "rule.dns-down.description": "Para o assinante, sem DNS não há internet.",
  "rule.dns-slow.description": "Cada página espera por várias destas.",
  "rule.pppoe-drop.description": "Um quinto se foi em cinco minutos; metade é crítico.",
  "rule.pppoe-none.description": "Havia mais de dez na última hora.",
  "rule.pppoe-churn.description":
    "Sessões que terminam e recomeçam: um enlace de acesso instável, ou um tempo limite errado.",
  "rule.pppoe-auth-failures.description":
    "O RADIUS recusa, ou seu banco de dados está ausente; ou alguém tenta adivinhar.",
  "rule.radius-down.description": "Quem está conectado fica; quem se desconecta não volta.",
  "rule.dhcp-drop.description": "Abaixo de 60 % da média da hora anterior.",
  "rule.nat-surge.description": "Um assinante infectado ou um ataque enche a tabela para todos.",
  "rule.cpu-high.description": "Média de dez minutos acima de 85 %; acima de 95 % é crítico.",
  "rule.memory-high.description": "Por dez minutos, mais de 90 % da memória que há.",
  "rule.temperature-high.description": "70 °C avisa, 80 °C é crítico; recuperado após dez minutos abaixo de 65 °C.",
  "rule.temperature-rising.description": "Um ventilador ou o ar da sala falhou, muito antes de chegar ao limite.",
  "rule.voltage-sag.description":
    "8 % abaixo da média da hora anterior, seja qual for a tensão nominal: o local pode estar nas baterias.",
  "rule.power-drop.description": "Uma de duas fontes morreu, ou uma placa.",
  "rule.disk-growing.description":
    "Logs, capturas ou um download. Não há métrica do tamanho do disco, então só o crescimento pode ser julgado.",
  "rule.clock-skew.description": "Logs não podem ser ordenados, certificados falham.",
  "rule.conntrack-surge.description": "Um ataque ou uma varredura; com a tabela cheia, novas conexões falham.",
  "rule.routes-dropped.description": "Seja qual for o protocolo, a tabela encolheu.",
  "rule.auth-guessing.description": "Alguém tenta adivinhar, ou um programa tem uma senha antiga.",
  "rule.version-changed.description": "Permanece por um quarto de hora.",
  "rule.optical-rx-low.description":
    "Limites para módulos de longo alcance; crie uma variante com este nome para outros. Uma porta sem luz lê -40 ou menos.",
  "rule.optical-rx-falling.description":
    "Metade da luz sumiu em uma hora: fibra dobrada, conector sujo, um cabo sendo escavado.",
  "rule.optical-tx-low.description": "O laser envelhece ou está desligado.",
  "rule.wireless-signal-low.description": "Média de dez minutos abaixo de -75 dBm.",
  "rule.wireless-signal-lost.description": "Chuva, antena movida, um novo obstáculo, água em um conector.",
  "rule.wireless-ccq-low.description": "Quadros são enviados várias vezes: quase sempre interferência.",
  "rule.engine-polls-late.description":
    "Por dois minutos, uma coleta em cem começou com mais de dois segundos de atraso: o motor tem trabalho demais.",
  "rule.engine-database-away.description":
    "Coletas, mapa e alertas seguem, e nada se perde enquanto a fila em disco tiver espaço; entrada de usuários, histórico e mudanças esperam.",
  "rule.engine-spool-filling.description":
    "Quando enche, as entradas esperam, coletas antigas são descartadas e eventos são devolvidos.",
  "rule.engine-journal-lag.description":
    "Nem o banco de dados nem a fila em disco dão conta. O que espera se perderia junto com o processo do motor.",
  "rule.engine-inputs-refused.description":
    "Coletas, traps ou linhas não acharam lugar em cinco minutos. Uma coleta ultrapassada por outra mais nova não conta.",
  "rule.engine-quota-dropped.description":
    "Em um quarto de hora, amostras, traps ou linhas além de uma cota foram descartadas: o gêmeo não as vê.",
  "rule.engine-history-behind.description":
    "Há dez minutos ou mais o histórico não alcança o diário; nada se perdeu ainda.",
  "rule.engine-history-dropped.description":
    "O banco de dados ficou ausente por mais tempo do que memória e diário podiam cobrir.",
  "rule.engine-device-quarantined.description":
    "Um defeito do motor. O que estes dispositivos dizem fica de fora por um tempo; os demais seguem.",
  "rule.engine-loop-late.description":
    "Por dois minutos, um giro em cem veio com mais de um quarto de segundo de atraso. Só no locatário da própria plataforma.",
  "rule.engine-memory-high.description":
    "Mesmo após cada coleta de lixo sobrou pouco por cinco minutos. Só no locatário da própria plataforma.",
  "rule.engine-disk-low.description":
    "Ali ficam a fila em disco, o banco de dados embutido e os backups. Só no locatário da própria plataforma.",
  "rule.engine-viewers-dropped.description":
    "Em cinco minutos; uma tela volta sozinha. Se forem muitas: a rede até as telas, ou a carga do motor. Só no locatário da própria plataforma.",
  "rule.transit-out.description":
    "Nossa rede está bem, nenhuma sessão eBGP deste trânsito está estabelecida e vários locais perderam os alvos públicos que vigiam.",
  "rule.transit-beyond.description": "Algo além das nossas bordas está quebrado. Daqui não se sabe de quem é.",
  "rule.transit-session-down.description":
    "Alvos públicos ainda respondem por outro caminho, ou ninguém vigia nenhum, ou a falha é nossa.",
  "rule.service-down.description":
    "Nada do que faz o seu trabalho restou, ou um grupo de que ele depende tem menos do que precisa.",
  "rule.service-degraded.description":
    "Ele segue com menos: um resolvedor de dois, um roteador de núcleo de quatro, uma sessão de duas.",
}
