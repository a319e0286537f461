// A recursive inotify watch, as plain as it can be: what both C peers stand on.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

// The mask that the tracker uses, so that the kernel queues the same events for every peer.
#define TREE_MASK                                                                                 \
    (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

#define READ_BUFFER (1 << 20)

struct watch_tree {
    int inotify;
    char **paths;    // by watch descriptor
    size_t capacity;
    size_t watched;
};

void watch_tree_open(struct watch_tree *tree);

// Watches `path` and every directory below it. Directories that vanish meanwhile are passed over.
void watch_tree_add(struct watch_tree *tree, const char *path);

// Follows the tree: watches a directory that was created or moved in, forgets one that is gone.
void watch_tree_follow(struct watch_tree *tree, const struct inotify_event *event);

// The directory of a watch descriptor, or NULL.
static inline const char *watch_tree_path(const struct watch_tree *tree, int descriptor) {
    return descriptor > 0 && (size_t)descriptor < tree->capacity ? tree->paths[descriptor] : NULL;
}

// Tells whoever started this program that the watches stand (sd_notify(3), READY=1).
void notify_ready(void);

// SIGTERM sets this; the read that it interrupts returns EINTR.
extern volatile int stop_requested;
void stop_on_sigterm(void);
