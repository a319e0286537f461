// What people use today: inotifywait (inotify-tools) and watchman, as Debian ships them.
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_whole(const char *path) {
    size_t size = (size_t)read_file_bytes(path);
    char *content = calloc(1, size + 1);
    FILE *file = fopen(path, "r");
    if (!content) abort();
    if (file) {
        content[fread(content, 1, size, file)] = 0;
        fclose(file);
    }
    return content;
}

struct process *inotifywait_start(const char *root, const char *output, double timeout) {
    struct process *process =
        process_start("inotifywait",
                      (const char *[]){"inotifywait", "-m", "-r", "-e", "modify,attrib,close_write,move,create,delete",
                                       "--format", "%w%f", "-o", output, root, NULL},
                      NULL, 0);
    for (double deadline = now() + timeout; now() < deadline; pause_for(0.005)) {
        char *said = read_whole(process->errors);
        bool established = strstr(said, "established") != NULL;
        free(said);
        if (established) {
            atomic_store(&process->ready, now());
            return process;
        }
        if (waitpid(process->pid, NULL, WNOHANG) == process->pid) {
            process->pid = -1;
            break;
        }
    }
    report_note("inotifywait is left out: it did not establish its watches (is inotify-tools installed?)");
    process_free(process);
    return NULL;
}

// One client command; its output is in `<directory>/answer`.
static bool ask(struct watchman *watchman, const char *command, const char *root, const char *argument) {
    char *answer = text("%s/answer", watchman->directory), *socket = text("--sockname=%s", watchman->socket);
    int status = run_program(
        (const char *[]){"watchman", socket, "--no-spawn", "--no-local", command, root, argument, NULL}, answer);
    free(socket);
    free(answer);
    return status == 0;
}

static char *answer_of(struct watchman *watchman) {
    char *path = text("%s/answer", watchman->directory), *content = read_whole(path);
    free(path);
    return content;
}

struct watchman *watchman_start(const char *root, double timeout) {
    struct watchman *watchman = calloc(1, sizeof *watchman);
    if (!watchman) abort();
    watchman->directory = text("%s/watchman", options.memory);
    make_directory(watchman->directory);
    watchman->socket = text("%s/socket", watchman->directory);
    char *socket = text("--sockname=%s", watchman->socket), *log = text("--logfile=%s/log", watchman->directory),
         *pid = text("--pidfile=%s/pid", watchman->directory),
         *state = text("--statefile=%s/state", watchman->directory);
    const char *arguments[] = {"watchman", "--foreground", "--no-save-state", socket, log, pid, state, NULL};
    watchman->process = process_start("watchman", arguments, NULL, 0);
    free(socket), free(log), free(pid), free(state);

    double deadline = now() + timeout;
    while (access(watchman->socket, F_OK) != 0 && now() < deadline) {
        if (waitpid(watchman->process->pid, NULL, WNOHANG) != 0) {
            watchman->process->pid = -1;  // it ended
            break;
        }
        pause_for(0.005);
    }
    bool watched = false;
    for (int attempt = 0; attempt < 20 && !watched && access(watchman->socket, F_OK) == 0; attempt++) {
        watched = ask(watchman, "watch", root, NULL);
        if (!watched) pause_for(0.02);
    }
    // A query waits for a cookie file to come round, hence for the first crawl; it gives up after a minute.
    while (watched && !watchman->clock && now() < deadline) {
        if (!ask(watchman, "find", root, "no-such-name-*")) continue;
        char *answer = answer_of(watchman), *clock = strstr(answer, "\"c:");
        if (clock) watchman->clock = strndup(clock + 1, strcspn(clock + 1, "\""));
        free(answer);
    }
    if (watchman->clock) {
        atomic_store(&watchman->process->ready, now());
        return watchman;
    }
    report_note("watchman is left out: no answer to its first query (is it installed?)");
    watchman_stop(watchman);
    return NULL;
}

size_t watchman_since(struct watchman *watchman, const char *root, const char *suffix, bool *recrawled) {
    size_t found = 0;
    *recrawled = false;
    if (!ask(watchman, "since", root, watchman->clock)) return 0;
    char *answer = answer_of(watchman), *pattern = text("%s\"", suffix);
    for (char *at = answer; (at = strstr(at, "\"name\": \"")); at++) {
        char *end = at + strcspn(at, "\n");
        char *hit = strstr(at, pattern);
        found += hit && hit < end;
    }
    *recrawled = strcasestr(answer, "recrawl") != NULL;
    free(pattern);
    free(answer);
    return found;
}

void watchman_stop(struct watchman *watchman) {
    process_stop(watchman->process);
    process_free(watchman->process);
    remove_tree(watchman->directory);
    free(watchman->directory);
    free(watchman->socket);
    free(watchman->clock);
    free(watchman);
}
