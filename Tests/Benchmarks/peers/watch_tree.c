#define _GNU_SOURCE
#include "watch_tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

volatile int stop_requested;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

void watch_tree_open(struct watch_tree *tree) {
    *tree = (struct watch_tree){.inotify = inotify_init1(IN_CLOEXEC)};
    if (tree->inotify < 0) fail("inotify_init1");
}

static void remember(struct watch_tree *tree, int descriptor, const char *path) {
    if ((size_t)descriptor >= tree->capacity) {
        size_t capacity = tree->capacity ? tree->capacity * 2 : 1024;
        while ((size_t)descriptor >= capacity) capacity *= 2;
        tree->paths = realloc(tree->paths, capacity * sizeof *tree->paths);
        if (!tree->paths) fail("realloc");
        memset(tree->paths + tree->capacity, 0, (capacity - tree->capacity) * sizeof *tree->paths);
        tree->capacity = capacity;
    }
    free(tree->paths[descriptor]);
    tree->paths[descriptor] = strdup(path);
}

void watch_tree_add(struct watch_tree *tree, const char *path) {
    // Watch first, then list: nothing that appears in between is missed.
    int descriptor = inotify_add_watch(tree->inotify, path, TREE_MASK);
    if (descriptor < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return;
        fail(path);
    }
    remember(tree, descriptor, path);
    tree->watched++;

    DIR *listing = opendir(path);
    if (!listing) return;
    size_t length = strlen(path);
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_type != DT_DIR) continue;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *child = malloc(length + strlen(entry->d_name) + 2);
        if (!child) fail("malloc");
        memcpy(child, path, length);
        child[length] = '/';
        strcpy(child + length + 1, entry->d_name);
        watch_tree_add(tree, child);
        free(child);
    }
    closedir(listing);
}

void watch_tree_follow(struct watch_tree *tree, const struct inotify_event *event) {
    if (event->mask & IN_IGNORED) {
        if (watch_tree_path(tree, event->wd)) {
            free(tree->paths[event->wd]);
            tree->paths[event->wd] = NULL;
            tree->watched--;
        }
    } else if ((event->mask & IN_ISDIR) && (event->mask & (IN_CREATE | IN_MOVED_TO))) {
        const char *parent = watch_tree_path(tree, event->wd);
        if (!parent) return;
        char *child;
        if (asprintf(&child, "%s/%s", parent, event->name) < 0) fail("asprintf");
        watch_tree_add(tree, child);
        free(child);
    }
}

void notify_ready(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path) return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || sendto(descriptor, "READY=1", 7, 0, (struct sockaddr *)&address, sizeof address) < 0)
        fail("NOTIFY_SOCKET");
    close(descriptor);
}

static void request_stop(int signal) {
    (void)signal;
    stop_requested = 1;
}

void stop_on_sigterm(void) {
    struct sigaction action = {.sa_handler = request_stop};  // no SA_RESTART: it must interrupt read(2)
    sigaction(SIGTERM, &action, NULL);
}
