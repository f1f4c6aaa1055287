/*
 * The target of bench/outage.ts: it accepts what has come every few milliseconds, closes it, and keeps for each address of
 * 127.0.0.0/8 that was probed when that was last before a mark and first after it. argv[1]: port, on all addresses; argv[2]:
 * how many members there are, the nth at 127.(1 + n / 65536).(n / 256 % 256).(n % 256).
 *
 * A line on stdin is a question: `m` sets the mark and is answered with a line; `c` is answered with how many members were
 * probed since the mark; `t` with a line per member: milliseconds from the mark to its first probe after it (-1 = none) and
 * from its last probe before the mark to the mark (-1 = none). The end of stdin ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096
#define ROUND_MS 5

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  size_t members = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, seen = 0;
  double *last = calloc(members + 1, sizeof *last), *first = calloc(members + 1, sizeof *first);
  double *before = calloc(members + 1, sizeof *before), mark = now_ms();
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, BACKLOG) != 0) {
    perror("outage-target");
    return 1;
  }
  struct pollfd questions = {.fd = STDIN_FILENO, .events = POLLIN};
  char line[64];
  puts("listening");
  fflush(stdout);
  for (;;) {
    int asked = poll(&questions, 1, ROUND_MS), connection;
    double at = now_ms();
    for (;;) {
      struct sockaddr_in own;
      socklen_t size = sizeof own;
      if ((connection = accept4(listener, NULL, NULL, 0)) < 0) break;
      if (getsockname(connection, (struct sockaddr *)&own, &size) == 0) {
        size_t n = ntohl(own.sin_addr.s_addr) - ((127u << 24) | (1u << 16));
        if (n < members) {
          last[n] = at;
          if (first[n] == 0) {
            first[n] = at;
            seen++;
          }
        }
      }
      close(connection);
    }
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
    } else {
      for (size_t n = 0; n < members; n++)
        printf("%.0f %.0f\n", first[n] == 0 ? -1 : first[n] - mark, before[n] == 0 ? -1 : mark - before[n]);
    }
    fflush(stdout);
  }
}
