/*
 * A poller on libnetsnmp (the C library behind snmpwalk), the anchor of the snmp-cost benchmark: one session per device,
 * one GETBULK in flight on each, epoll around snmp_sess_read. Epoll and single sessions are the library's cheapest way
 * with many devices; select over all of them would charge it for scanning descriptors.
 *
 * Arguments: TARGETS MAX_REPETITIONS OID...   (TARGETS: lines of "address port community")
 * Standard input: one number per line, requests per device. Each line is answered by one line of JSON on standard output.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>

#define MAX_TARGETS 1000
#define MAX_OIDS 16
#define EVENTS 256

static struct target {
  void *session;
  int fd;
  long left;
} targets[MAX_TARGETS];
static int target_count;

static oid names[MAX_OIDS][MAX_OID_LEN];
static size_t name_lengths[MAX_OIDS];
static int name_count;
static long max_repetitions;

static long running, requests, varbinds, failures;
/* Every value is looked at, as whoever polls would. */
static double sum;

static void ask(struct target *target);

static double numeric(const netsnmp_variable_list *variable)
{
  switch (variable->type) {
  case ASN_COUNTER64:
    return variable->val.counter64->high * 4294967296.0 + variable->val.counter64->low;
  case ASN_INTEGER:
  case ASN_COUNTER:
  case ASN_GAUGE:
  case ASN_TIMETICKS:
    return (double)*variable->val.integer;
  default:
    return 0;
  }
}

static int answered(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic)
{
  struct target *target = magic;
  (void)session;
  (void)id;
  if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || pdu->errstat != 0) {
    failures++;
  } else {
    const netsnmp_variable_list *variable;
    for (variable = pdu->variables; variable != NULL; variable = variable->next_variable) {
      sum += numeric(variable);
      varbinds++;
    }
  }
  running--;
  ask(target);
  return 1;
}

static void ask(struct target *target)
{
  netsnmp_pdu *pdu;
  int i;
  if (target->left == 0)
    return;
  target->left--;
  pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
  pdu->errstat = 0;
  pdu->errindex = max_repetitions;
  for (i = 0; i < name_count; i++)
    snmp_add_null_var(pdu, names[i], name_lengths[i]);
  running++;
  requests++;
  if (snmp_sess_async_send(target->session, pdu, answered, target) == 0) {
    snmp_free_pdu(pdu);
    running--;
    failures++;
  }
}

static void open_target(int poll, const char *address, const char *port, const char *community)
{
  netsnmp_session session;
  struct epoll_event event;
  struct timeval none;
  struct target *target = &targets[target_count++];
  char peer[128];
  fd_set set;
  int fds = 0, block = 1;

  snprintf(peer, sizeof peer, "udp:%s:%s", address, port);
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_2c;
  session.peername = peer;
  session.community = (u_char *)community;
  session.community_len = strlen(community);
  session.retries = 3;
  session.timeout = 2000000;
  target->session = snmp_sess_open(&session);
  if (target->session == NULL) {
    fprintf(stderr, "libnetsnmp cannot open a session to %s\n", peer);
    exit(1);
  }
  FD_ZERO(&set);
  snmp_sess_select_info(target->session, &fds, &set, &none, &block);
  target->fd = fds - 1;
  event.events = EPOLLIN;
  event.data.ptr = target;
  if (epoll_ctl(poll, EPOLL_CTL_ADD, target->fd, &event) != 0) {
    perror("epoll_ctl");
    exit(1);
  }
}

static void read_targets(int poll, const char *file)
{
  char address[64], port[16], community[256];
  FILE *in = fopen(file, "r");
  if (in == NULL) {
    perror(file);
    exit(1);
  }
  while (target_count < MAX_TARGETS && fscanf(in, "%63s %15s %255s", address, port, community) == 3)
    open_target(poll, address, port, community);
  fclose(in);
}

static double cpu_us(void)
{
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec;
}

static void play_round(int poll, long per_device)
{
  struct epoll_event events[EVENTS];
  struct timeval from, to;
  double cpu = cpu_us();
  fd_set set;
  int i, ready;

  gettimeofday(&from, NULL);
  requests = varbinds = failures = 0;
  for (i = 0; i < target_count; i++) {
    targets[i].left = per_device;
    ask(&targets[i]);
  }
  while (running > 0) {
    ready = epoll_wait(poll, events, EVENTS, 100);
    for (i = 0; i < ready; i++) {
      struct target *target = events[i].data.ptr;
      FD_ZERO(&set);
      FD_SET(target->fd, &set);
      snmp_sess_read(target->session, &set);
    }
    /* Silence: let the library repeat what was lost. */
    if (ready == 0)
      for (i = 0; i < target_count; i++)
        snmp_sess_timeout(targets[i].session);
  }
  gettimeofday(&to, NULL);
  printf("{\"requests\":%ld,\"varbinds\":%ld,\"failures\":%ld,\"cpuUs\":%.0f,\"wallMs\":%.1f,\"sum\":%.0f}\n", requests,
         varbinds, failures, cpu_us() - cpu,
         (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_usec - from.tv_usec) / 1e3, sum);
  fflush(stdout);
}

int main(int argc, char **argv)
{
  char line[64];
  int poll, i;
  if (argc < 4 || argc - 3 > MAX_OIDS) {
    fprintf(stderr, "usage: %s TARGETS MAX_REPETITIONS OID...\n", argv[0]);
    return 2;
  }
  /* Neither configuration files nor MIBs: only the wire is measured. */
  setenv("SNMPCONFPATH", "/nonexistent", 1);
  setenv("MIBS", "", 1);
  init_snmp("heliograph-snmp-cost");
  max_repetitions = atol(argv[2]);
  for (i = 3; i < argc; i++, name_count++) {
    name_lengths[name_count] = MAX_OID_LEN;
    if (!read_objid(argv[i], names[name_count], &name_lengths[name_count])) {
      fprintf(stderr, "not an OID: %s\n", argv[i]);
      return 2;
    }
  }
  poll = epoll_create1(0);
  read_targets(poll, argv[1]);
  printf("{\"ready\":%d}\n", target_count);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL)
    play_round(poll, atol(line));
  return 0;
}
