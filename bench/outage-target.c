/*
 * The target of bench/outage.ts: it keeps for each address of 127.0.0.0/8 that was probed when that was last before a mark
 * and first after it. argv[1]: port, on all addresses; argv[2]: how many members there are, the nth at
 * 127.(1 + n / 65536).(n / 256 % 256).(n % 256); argv[3]: `whole` or `half`.
 *
 *   whole  it accepts what has come every few milliseconds, and closes it
 *   half   the kernel answers; it reads a copy of each SYN (packet socket, so it takes CAP_NET_RAW), because a handshake
 *          that is never completed is never accepted
 *
 * A line on stdin is a question: `m` sets the mark and is answered with a line; `c` is answered with how many members were
 * probed since the mark; `n` with how many probes came since the start, and how many copies were lost; `t` with a line per
 * member: milliseconds from the mark to its first probe after it (-1 = none) and from its last probe before the mark to the
 * mark (-1 = none). The end of stdin ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096
#define ROUND_MS 5
#define COPIES 256
#define COPIES_BYTES (64 << 20)
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static size_t members, seen, probes, lost;
static double *last, *first;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void note(struct in_addr address, double at) {
  size_t n = ntohl(address.s_addr) - ((127u << 24) | (1u << 16));
  if (n >= members) return;
  probes++;
  last[n] = at;
  if (first[n] == 0) {
    first[n] = at;
    seen++;
  }
}

static int listen_on(int port) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, BACKLOG) != 0) fail("listen");
  return listener;
}

static void accept_all(int listener, double at) {
  int connection;
  while ((connection = accept4(listener, NULL, NULL, 0)) >= 0) {
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    if (getsockname(connection, (struct sockaddr *)&own, &size) == 0) note(own.sin_addr, at);
    close(connection);
  }
}

/* A socket that gets the IP header of every SYN to this port. */
static int copies_of(int port) {
  struct sock_filter wanted[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),                       /* protocol */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),      /* TCP */
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),                      /* length of the IP header */
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),                       /* target port */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),                      /* flags: SYN alone */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, sizeof(struct iphdr)),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog filter = {.len = sizeof wanted / sizeof *wanted, .filter = wanted};
  int on = 1, room = COPIES_BYTES, copies = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_IP));
  if (copies < 0) fail("packet socket");
  if (setsockopt(copies, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      setsockopt(copies, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0 ||
      setsockopt(copies, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
    fail("packet socket");
  return copies;
}

static void read_copies(int copies, double at) {
  static struct iphdr heads[COPIES];
  static struct iovec places[COPIES];
  static struct mmsghdr messages[COPIES];
  int count;
  for (int i = 0; i < COPIES; i++) {
    places[i] = (struct iovec){.iov_base = &heads[i], .iov_len = sizeof heads[i]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &places[i], .msg_iovlen = 1};
  }
  do {
    count = recvmmsg(copies, messages, COPIES, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) note((struct in_addr){.s_addr = heads[i].daddr}, at);
  } while (count == COPIES);
}

static void count_lost(int copies) {
  struct tpacket_stats counted;
  socklen_t size = sizeof counted;
  /* Reading them sets them to 0. */
  if (getsockopt(copies, SOL_PACKET, PACKET_STATISTICS, &counted, &size) == 0) lost += counted.tp_drops;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int port = atoi(argv[1]), isHalf = strcmp(argv[3], "half") == 0;
  int listener = listen_on(port), copies = isHalf ? copies_of(port) : -1;
  members = strtoul(argv[2], NULL, 10);
  last = calloc(members + 1, sizeof *last);
  first = calloc(members + 1, sizeof *first);
  double *before = calloc(members + 1, sizeof *before), mark = now_ms();
  struct pollfd questions = {.fd = STDIN_FILENO, .events = POLLIN};
  char line[64];
  puts("listening");
  fflush(stdout);
  for (;;) {
    int asked = poll(&questions, 1, ROUND_MS);
    if (isHalf) read_copies(copies, now_ms());
    else accept_all(listener, now_ms());
    if (asked <= 0) continue;
    if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
    if (line[0] == 'm') {
      mark = now_ms();
      seen = 0;
      memcpy(before, last, members * sizeof *last);
      memset(first, 0, members * sizeof *first);
      puts("marked");
    } else if (line[0] == 'c') {
      printf("%zu\n", seen);
    } else if (line[0] == 'n') {
      if (isHalf) count_lost(copies);
      printf("%zu %zu\n", probes, lost);
    } else {
      for (size_t n = 0; n < members; n++)
        printf("%.0f %.0f\n", first[n] == 0 ? -1 : first[n] - mark, before[n] == 0 ? -1 : mark - before[n]);
    }
    fflush(stdout);
  }
}
