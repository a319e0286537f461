// Latency: from just before a lone change's first system call to the moment its line can be read from the log.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KINDS 6

// One change of `kind`; the path whose line is expected. Each sample has files of its own: no rate limit applies.
static char *change(const char *root, int sample) {
    char *path = text("%s/d%02d/sample-%03d.txt", root, sample % 7, sample), *other;
    int file, failed = 0;
    switch (sample % KINDS) {
    case 0:  // created
        other = text("%s.new", path);
        failed = (file = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0 || write(file, "x", 1) != 1;
        break;
    case 1:  // modified
        other = text("%s", path);
        failed = (file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0 || write(file, "x", 1) != 1;
        break;
    case 2:  // metadata
        other = text("%s", path), file = -1;
        failed = chmod(path, 0600);
        break;
    case 3:  // moved
        other = text("%s.moved", path), file = -1;
        failed = rename(path, other);
        break;
    case 4:  // deleted
        other = text("%s", path), file = -1;
        failed = unlink(path);
        break;
    default:  // a directory
        other = text("%s.d", path), file = -1;
        failed = mkdir(other, 0755);
    }
    if (failed) die("%s: %s", other, strerror(errno));
    if (file >= 0) close(file);
    free(path);
    return other;
}

static void sample_log(const char *subject, const char *root, const char *log, bool limited) {
    int samples = options.full ? 50 : 12;
    double delays[64];
    struct tail tail;
    uint64_t seed = 7;
    if (!tail_open(&tail, log)) return;
    for (int sample = 0; sample < samples; sample++) {
        // Alone: the change before it was logged, and 0.3 to 0.6 s have passed.
        pause_for(0.3 + (double)(next_random(&seed) % 300) / 1000);
        while (tail_wait(&tail, NULL, now())) {}
        double began = now();
        char *path = change(root, sample);
        delays[sample] = tail_wait(&tail, path, began + 5) ? tail.last_line - began : NAN;
        if (isnan(delays[sample])) report_note("%s: no line for %s within 5 s", subject, path);
        free(path);
    }
    int lost = 0;
    for (int sample = 0; sample < samples; sample++) lost += isnan(delays[sample]);
    enum limit kind = limited ? AT_MOST : NO_LIMIT;
    figure(subject, "lone change to line, median", median(delays, (size_t)samples), "s", kind, 0.2);
    figure(subject, "lone change to line, most", largest(delays, (size_t)samples), "s", kind, 0.2);
    figure(subject, "without a line after 5 s", lost, "changes", kind, 0);
    tail_close(&tail);
}

static void prepare(const char *root) {
    make_directory(root);
    for (int sample = 0; sample < 64; sample++) {
        char *directory = text("%s/d%02d", root, sample % 7), *path = text("%s/sample-%03d.txt", directory, sample);
        make_directory(directory);
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (file < 0) die("%s: %s", path, strerror(errno));
        close(file);
        free(directory), free(path);
    }
}

void bench_latency(void) {
    report_title("latency", "lone changes of %d kinds, on a disk", KINDS);
    char *root = text("%s/latency-backup", options.disk), *directory = text("%s/tracker", options.disk);
    prepare(root);
    struct tracker *tracker = tracker_start(root, directory, 0, 60);
    if (tracker) {
        process_settle(tracker->process->pid, 1, 30);
        sample_log("tracker", root, tracker->log, true);
        tracker_stop(tracker);
    }
    remove_tree(root);
    prepare(root);
    char *output = text("%s/inotifywait.out", options.disk);
    struct process *process = inotifywait_start(root, output, 60);
    if (process) {
        sample_log("inotifywait", root, output, false);
        process_free(process);
    }
    remove(output);
    report_table();
    remove_tree(directory);
    remove_tree(root);
    free(output), free(directory), free(root);
}
