/*
 * A TCP target that is never woken: it accepts what has come every few milliseconds, closes it and counts it. So the prober is
 * not charged for waking a process of its own host, which no remote target makes it do. argv[1]: port, on all addresses.
 * Each line on stdin is answered with the count so far; the end of stdin ends it.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define ROUND_MS 5

int main(int argc, char **argv) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) != 0 || listen(listener, BACKLOG) != 0) {
    perror("accept-target");
    return 1;
  }
  struct pollfd questions = {.fd = STDIN_FILENO, .events = POLLIN};
  long accepted = 0;
  char line[64];
  puts("listening");
  fflush(stdout);
  for (;;) {
    int asked = poll(&questions, 1, ROUND_MS), connection;
    while ((connection = accept4(listener, NULL, NULL, 0)) >= 0) {
      close(connection);
      accepted++;
    }
    if (asked <= 0) continue;
    if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
    printf("%ld\n", accepted);
    fflush(stdout);
  }
}
