// Peer (c): a loop that only reads inotify, with a 1 MiB buffer, and counts. What reading costs at least.
//
//   peer_read ROOT      until SIGTERM; then prints "events N overflows N reads N watches N"
#include "watch_tree.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: peer_read ROOT\n");
        return 2;
    }
    struct watch_tree tree;
    watch_tree_open(&tree);
    watch_tree_add(&tree, arguments[1]);
    char *buffer = aligned_alloc(4096, READ_BUFFER);
    if (!buffer) return 2;
    stop_on_sigterm();
    notify_ready();

    unsigned long long events = 0, overflows = 0, reads = 0;
    while (!stop_requested) {
        ssize_t length = read(tree.inotify, buffer, READ_BUFFER);
        if (length < 0) {
            if (errno == EINTR) continue;
            perror("read");
            return 2;
        }
        reads++;
        for (char *at = buffer; at < buffer + length;) {
            const struct inotify_event *event = (const struct inotify_event *)at;
            at += sizeof *event + event->len;
            if (event->mask & IN_Q_OVERFLOW)
                overflows++;
            else
                events++;
            if (event->mask & (IN_ISDIR | IN_IGNORED)) watch_tree_follow(&tree, event);
        }
    }
    printf("events %llu overflows %llu reads %llu watches %zu\n", events, overflows, reads, tree.watched);
    return 0;
}
