// Start: a restart and a first baseline over a large tree against `find -printf` with the same fields; what the store
// takes on disk; and the memory of the tracker with that tree, idle and in a storm.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEGABYTE 1e6
#define TIMEOUT 900.0

struct size { long directories, files; };

// The tree is made once; a file beside it says that it is whole.
static char *prepare_tree(struct size size) {
    char *root = text("%s/large-backup", options.tree), *done = text("%s/large-%ld-%ld.made", options.tree,
                                                                    size.directories, size.files);
    if (access(done, F_OK) != 0) {
        if (access(root, F_OK) == 0) {
            report_note("%s is another or an unfinished tree: made anew", root);
            remove_tree(root);
            run_program((const char *[]){"sh", "-c", "rm -f \"$1\"/large-*.made", "sh", options.tree, NULL}, NULL);
        }
        double began = now();
        make_tree(root, size.directories, size.files, 20260301, false);
        int mark = open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (mark < 0) die("%s: %s", done, strerror(errno));
        close(mark);
        report_note("made in %.0f s", now() - began);
    }
    free(done);
    return root;
}

static double time_find(const char *root) {
    double began = now();
    int status = run_program(
        (const char *[]){"find", root, "-printf", "%y %i %s %m %U %G %T@ %C@ %n %p\\n", NULL}, NULL);
    return status == 0 ? now() - began : NAN;
}

static double startup(const struct process *process) { return atomic_load(&process->ready) - process->spawned; }

struct times { double find[64], baseline[64], restart[64], watch[64], stop[64]; };

// One round: find, a first baseline, find, a restart; and the plain recursive watch for comparison.
static bool time_round(struct times *times, int round, const char *root, const char *directory, double *store,
                       double *write_ahead, double *peak) {
    double before = time_find(root);
    remove_tree(directory);
    struct tracker *tracker = tracker_start(root, directory, 0, TIMEOUT);
    if (!tracker) return false;
    times->baseline[round] = startup(tracker->process);
    *peak = process_memory(tracker->process->pid).peak;
    process_settle(tracker->process->pid, 1.6, 120);
    if (!tracker_stop(tracker)) report_failure("the tracker did not exit with 0 after SIGTERM");
    char *state = text("%s/state", directory);
    *store = tracker_store_bytes(state, write_ahead);
    free(state);
    times->find[round] = (before + time_find(root)) / 2;
    tracker = tracker_start(root, directory, 0, TIMEOUT);
    if (!tracker) return false;
    times->restart[round] = startup(tracker->process);
    process_settle(tracker->process->pid, 0.5, 120);
    process_stop(tracker->process);
    times->stop[round] = tracker->process->stopping;
    tracker_stop(tracker);

    char *program = text("%s/peer_read", options.peers);
    struct process *peer = process_start("peer_read", (const char *[]){program, root, NULL}, NULL, 0);
    times->watch[round] = process_wait_ready(peer, TIMEOUT) ? startup(peer) : NAN;
    process_free(peer);
    free(program);
    return true;
}

static double median_ratio(const double *above, const double *below, size_t count) {
    double ratios[64];
    for (size_t index = 0; index < count; index++) ratios[index] = above[index] / below[index];
    return median(ratios, count);
}

static void report_memory(const char *subject, const char *when, struct memory memory, double limit) {
    char *name = text("memory, %s: RSS", when);
    figure(subject, name, memory.resident / MEGABYTE, "MB", limit ? AT_MOST : NO_LIMIT, limit);
    free(name);
    name = text("memory, %s: of it anonymous", when);
    figure(subject, name, memory.anonymous / MEGABYTE, "MB", NO_LIMIT, 0);
    free(name);
}

// The tracker with the tree: idle, then with writers flat out in new directories below it, which go again afterwards.
static void measure_memory(const char *root, const char *directory) {
    struct tracker *tracker = tracker_start(root, directory, 0, TIMEOUT);
    if (!tracker) return;
    pid_t pid = tracker->process->pid;
    process_settle(pid, 3, 120);
    report_memory("tracker", "idle after a restart", process_memory(pid), 40);

    char *storm = text("%s/storm", root);
    process_reset_peak(pid);
    make_directory(storm);
    writers_prepare(storm, DISTINCT_FILES, 0);
    process_settle(pid, 0.5, 30);
    long files = options.full ? 50000 : 5000;
    double took = writers_run(storm, DISTINCT_FILES, files, 0, 0);
    process_settle(pid, 1.6, 300);
    remove_tree(storm);
    process_settle(pid, 3, 300);
    struct memory memory = process_memory(pid);
    figure("tracker", "memory, storm: peak RSS", memory.peak / MEGABYTE, "MB", AT_MOST, 80);
    report_memory("tracker", "idle after the storm", memory, 0);
    report_note("storm: %ld files created in %.1f s, then all removed%s", files * WRITERS, took,
                process_told_overflow(tracker->process) ? "; the queue overflowed" : "");
    free(storm);
    tracker_stop(tracker);
}

static void measure_incumbents(const char *root, double find) {
    char *output = text("%s/inotifywait.out", options.memory);
    struct process *process = inotifywait_start(root, output, TIMEOUT);
    if (process) {
        figure("inotifywait", "start", startup(process), "s", NO_LIMIT, 0);
        figure("inotifywait / find", "start", startup(process) / find, "x", NO_LIMIT, 0);
        report_memory("inotifywait", "idle", process_memory(process->pid), 0);
        process_free(process);
    }
    remove(output);
    free(output);
    struct watchman *watchman = watchman_start(root, TIMEOUT);
    if (watchman) {
        figure("watchman", "start", startup(watchman->process), "s", NO_LIMIT, 0);
        figure("watchman / find", "start", startup(watchman->process) / find, "x", NO_LIMIT, 0);
        report_memory("watchman", "idle", process_memory(watchman->process->pid), 0);
        watchman_stop(watchman);
    }
}

void bench_start(void) {
    struct size size = options.full ? (struct size){100000, 1000000} : (struct size){10000, 100000};
    int rounds = options.repeats;
    make_directory(options.tree);
    report_title("start", "%ld directories, %ld files, warm, %d runs, in %s (%s)", size.directories, size.files, rounds,
                 options.tree, file_system_of(options.tree));
    char *root = prepare_tree(size), *directory = text("%s/tracker-start", options.disk);
    for (int warming = 0; warming < 2; warming++) time_find(root);

    struct times times;
    double store = 0, write_ahead = 0, peak = 0;
    for (int round = 0; round < rounds; round++)
        if (!time_round(&times, round, root, directory, &store, &write_ahead, &peak)) {
            remove_tree(directory);
            return report_table();
        }
    size_t count = (size_t)rounds;
    figure("find", "walk", median(times.find, count), "s", NO_LIMIT, 0);
    figure("peer_read", "walk and watch", median(times.watch, count), "s", NO_LIMIT, 0);
    figure("tracker", "restart", median(times.restart, count), "s", NO_LIMIT, 0);
    figure("tracker", "first baseline", median(times.baseline, count), "s", NO_LIMIT, 0);
    figure("tracker / find", "restart", median_ratio(times.restart, times.find, count), "x", AT_MOST, 1.5);
    figure("tracker / find", "first baseline", median_ratio(times.baseline, times.find, count), "x", AT_MOST, 2);
    figure("tracker / peer_read", "restart", median_ratio(times.restart, times.watch, count), "x", NO_LIMIT, 0);
    figure("tracker", "stop, SIGTERM to exit, most", largest(times.stop, count), "s", AT_MOST, 2);
    figure("tracker", "store after a clean stop", store > 0 ? store / (double)size.files : NAN, "bytes/file", AT_MOST,
           95);
    figure("tracker", "of it write-ahead log", write_ahead / (double)size.files, "bytes/file", NO_LIMIT, 0);
    figure("tracker", "memory, first baseline: peak RSS", peak / MEGABYTE, "MB", NO_LIMIT, 0);
    measure_memory(root, directory);
    measure_incumbents(root, median(times.find, count));
    report_table();
    remove_tree(directory);
    free(directory);
    free(root);
}
