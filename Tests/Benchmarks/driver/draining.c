// Draining: how fast events are taken from the kernel, and what one costs.
//
// Every consumer gets the same writers at the same rate in turn, the order rotating from run to run; the ratios are
// taken within a run, and their medians count. Then each of the tracker and the C peers climbs a ladder of rates
// until it loses events.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum consumer { PLAIN_READ, PIPELINE, GATHERING_PIPELINE, TRACKER, INOTIFYWAIT, WATCHMAN, CONSUMERS };

static const char *const names[CONSUMERS] = {
    "peer_read", "peer_pipeline", "peer_pipeline 20 ms", "tracker", "inotifywait", "watchman",
};

struct load {
    enum writing kind;
    long count, set;  // files (or rewrites) of each writer, files in the set to rewrite
    double rate;      // events/s over all writers; 0: flat out
};

struct run {
    bool ran, overflow;
    double writing;       // seconds the writers took
    double lag;           // seconds from the last write to the end of processing
    double events, lost;  // what it counted and what it missed, in events or (tracker, incumbents) in paths
    double cpu, reader;   // seconds
};

static int events_each(enum writing kind) {
    return kind == DISTINCT_FILES ? 3 : 2;  // CREATE, MODIFY, CLOSE_WRITE
}

static double events_of(const struct load *load) { return (double)(WRITERS * load->count * events_each(load->kind)); }

static double paths_of(const struct load *load) {
    return (double)(WRITERS * (load->kind == DISTINCT_FILES ? load->count : load->set));
}

// Drives the writers past a consumer that is ready, and accounts for it.
static void measure(struct run *run, const struct load *load, const char *root, pid_t pid) {
    process_settle(pid, 0.3, 30);
    double cpu = process_cpu(pid), reader = thread_cpu(pid, "reader");
    run->writing = writers_run(root, load->kind, load->count, load->set, load->rate / events_each(load->kind));
    double ended = now();
    // A file that is written continuously may be recorded up to a second late, so only a longer silence is the end.
    double settled = process_settle(pid, 1.6, 120);
    run->lag = settled > ended ? settled - ended : 0;
    run->cpu = process_cpu(pid) - cpu;
    run->reader = thread_cpu(pid, "reader") - reader;
    run->ran = true;
}

static void drain_with_peer(struct run *run, const struct load *load, const char *root, enum consumer consumer) {
    char *output = text("%s/peer.out", options.memory), *database = text("%s/peer.db", options.memory),
         *program = text("%s/%s", options.peers, consumer == PLAIN_READ ? "peer_read" : "peer_pipeline");
    const char *arguments[] = {program, root, consumer == PLAIN_READ ? NULL : database,
                               consumer == GATHERING_PIPELINE ? "20" : NULL, NULL};
    struct process *process = process_start(names[consumer], arguments, output, 0);
    if (process_wait_ready(process, 30)) {
        measure(run, load, root, process->pid);
        process_stop(process);
        double overflows = 0;
        FILE *file = fopen(output, "r");
        if (!file || fscanf(file, "events %lf overflows %lf", &run->events, &overflows) != 2) run->ran = false;
        if (file) fclose(file);
        run->overflow = overflows > 0;
        run->lost = events_of(load) - run->events;
    }
    process_free(process);
    for (const char *const *suffix = (const char *const[]){"", "-wal", "-shm", NULL}; *suffix; suffix++) {
        char *path = text("%s%s", database, *suffix);
        remove(path);
        free(path);
    }
    remove(output);
    free(program), free(database), free(output);
}

static double paths_in(const char *log, const char *root) {
    char *prefix = text("%s/w", root);
    struct lines lines = lines_load(log);
    size_t found = 0;
    for (size_t index = 0; index < lines.count; index++) {
        if (strncmp(lines.line[index], prefix, strlen(prefix)) != 0 || !strstr(lines.line[index], ".eml")) continue;
        found += index == 0 || strcmp(lines.line[index], lines.line[index - 1]) != 0;
    }
    lines_free(&lines);
    free(prefix);
    return (double)found;
}

static void drain_with_tracker(struct run *run, const struct load *load, const char *root) {
    char *directory = text("%s/tracker", options.memory);
    struct tracker *tracker = tracker_start(root, directory, 0, 60);
    if (tracker) {
        measure(run, load, root, tracker->process->pid);
        process_stop(tracker->process);  // a clean stop appends what is owed
        run->overflow = process_told_overflow(tracker->process);
        run->events = paths_in(tracker->log, root);
        run->lost = paths_of(load) - run->events;
        tracker_stop(tracker);
    }
    remove_tree(directory);
    free(directory);
}

static void drain_with_inotifywait(struct run *run, const struct load *load, const char *root) {
    char *output = text("%s/inotifywait.out", options.memory);
    struct process *process = inotifywait_start(root, output, 60);
    if (process) {
        measure(run, load, root, process->pid);
        process_stop(process);
        run->overflow = process_told_overflow(process);
        run->events = paths_in(output, root);
        run->lost = paths_of(load) - run->events;
        process_free(process);
    }
    remove(output);
    free(output);
}

static void drain_with_watchman(struct run *run, const struct load *load, const char *root) {
    struct watchman *watchman = watchman_start(root, 60);
    if (!watchman) return;
    measure(run, load, root, watchman->process->pid);
    run->events = (double)watchman_since(watchman, root, ".eml", &run->overflow);
    run->lost = paths_of(load) - run->events;
    watchman_stop(watchman);
}

static struct run drain(enum consumer consumer, const struct load *load) {
    struct run run = {.reader = NAN};
    char *root = text("%s/drain-backup", options.memory);
    make_directory(root);
    writers_prepare(root, load->kind, load->set);
    switch (consumer) {
    case TRACKER: drain_with_tracker(&run, load, root); break;
    case INOTIFYWAIT: drain_with_inotifywait(&run, load, root); break;
    case WATCHMAN: drain_with_watchman(&run, load, root); break;
    default: drain_with_peer(&run, load, root, consumer); break;
    }
    remove_tree(root);
    free(root);
    return run;
}

// The highest of the ladder's rates that the consumer takes without losing anything: the rate the writers reached.
static double climb(enum consumer consumer, enum writing kind, long set) {
    static const double ladder[] = {100e3, 150e3, 200e3, 250e3, 300e3, 400e3, 500e3, 650e3, 800e3};
    double best = 0;
    for (size_t rung = 0; rung < COUNT(ladder); rung++) {
        // Long enough that the queue (16,384 events) hides nothing.
        struct load load = {kind, (long)(ladder[rung] * (options.full ? 3 : 1)) / WRITERS / events_each(kind), set,
                            ladder[rung]};
        struct run run = drain(consumer, &load);
        double reached = events_of(&load) / run.writing;
        if (!run.ran || run.overflow || run.lost != 0) break;
        if (reached > best) best = reached;
        if (reached < ladder[rung] * 0.9) break;  // the writers can do no more
    }
    return best;
}

static void report_consumers(struct run runs[][CONSUMERS], const struct load *load) {
    for (enum consumer consumer = 0; consumer < CONSUMERS; consumer++) {
        double cpu[64], reader[64], lag[64], lost[64], rate[64];
        int overflows = 0, ran = 0;
        for (int repeat = 0; repeat < options.repeats; repeat++) {
            const struct run *run = &runs[repeat][consumer];
            double events = run->ran ? events_of(load) : NAN;
            cpu[repeat] = run->cpu / events * 1e9;
            reader[repeat] = run->reader / events * 1e9;
            lag[repeat] = run->ran ? run->lag : NAN;
            lost[repeat] = run->ran ? run->lost : NAN;
            rate[repeat] = events / run->writing;
            overflows += run->overflow;
            ran += run->ran;
        }
        if (!ran && consumer != TRACKER) continue;
        size_t repeats = (size_t)options.repeats;
        bool subject = consumer == TRACKER;
        figure(names[consumer], "events/s written", median(rate, repeats), "events/s", subject ? AT_LEAST : NO_LIMIT,
               100e3);
        figure(names[consumer], "runs with overflow", ran ? overflows : NAN, "runs", subject ? AT_MOST : NO_LIMIT, 0);
        figure(names[consumer], "missed, at most", ran ? largest(lost, repeats) : NAN,
               consumer <= GATHERING_PIPELINE ? "events" : "paths", subject ? AT_MOST : NO_LIMIT, 0);
        if (subject) figure(names[consumer], "CPU, reading thread", median(reader, repeats), "ns/event", NO_LIMIT, 0);
        figure(names[consumer], "CPU, whole process", median(cpu, repeats), "ns/event", NO_LIMIT, 0);
        figure(names[consumer], "done after last write", median(lag, repeats), "s", NO_LIMIT, 0);
    }
}

// The median over the runs of one consumer's cost over another's.
static double ratio(struct run runs[][CONSUMERS], bool reader, enum consumer above, enum consumer below) {
    double values[64];
    for (int repeat = 0; repeat < options.repeats; repeat++) {
        const struct run *a = &runs[repeat][above], *b = &runs[repeat][below];
        values[repeat] = a->ran && b->ran ? (reader ? a->reader : a->cpu) / b->cpu : NAN;
    }
    return median(values, (size_t)options.repeats);
}

static void drain_kind(enum writing kind) {
    const char *title = kind == DISTINCT_FILES ? "draining-distinct" : "draining-rewritten";
    struct load load = {kind, 0, 500, 110e3};
    load.count = (long)(load.rate * (options.full ? 6 : 2)) / WRITERS / events_each(kind);
    report_title(title, "%d writers %s on tmpfs, %.0f events at %.0f events/s, %d runs", WRITERS,
                 kind == DISTINCT_FILES ? "create small files" : "rewrite 500 files each in place", events_of(&load),
                 load.rate, options.repeats);

    static struct run runs[64][CONSUMERS];
    memset(runs, 0, sizeof runs);
    for (int repeat = 0; repeat < options.repeats; repeat++)
        for (int turn = 0; turn < CONSUMERS; turn++) {
            enum consumer consumer = (enum consumer)((turn + repeat * 2) % CONSUMERS);
            runs[repeat][consumer] = drain(consumer, &load);
        }
    for (int repeat = 0; repeat < options.repeats; repeat++) {
        const struct run *counter = &runs[repeat][PLAIN_READ];
        if (!counter->ran || counter->lost == 0) continue;
        report_note("run %d: peer_read counted %.0f events where %.0f were expected", repeat + 1, counter->events,
                    events_of(&load));
    }
    report_consumers(runs, &load);
    figure("tracker / peer_read", "CPU, reading thread", ratio(runs, true, TRACKER, PLAIN_READ), "x", AT_MOST, 2.5);
    figure("tracker / peer_pipeline", "CPU, whole process", ratio(runs, false, TRACKER, PIPELINE), "x", AT_MOST, 1.5);
    figure("tracker / peer_pipeline 20 ms", "CPU, whole process", ratio(runs, false, TRACKER, GATHERING_PIPELINE), "x",
           NO_LIMIT, 0);
    figure("tracker / inotifywait", "CPU, whole process", ratio(runs, false, TRACKER, INOTIFYWAIT), "x", NO_LIMIT, 0);
    figure("tracker / watchman", "CPU, whole process", ratio(runs, false, TRACKER, WATCHMAN), "x", NO_LIMIT, 0);

    static const enum consumer climbers[] = {PLAIN_READ, PIPELINE, TRACKER, INOTIFYWAIT, WATCHMAN};
    for (size_t index = 0; index < COUNT(climbers); index++)
        figure(names[climbers[index]], "sustained, nothing lost", climb(climbers[index], kind, load.set), "events/s",
               climbers[index] == TRACKER ? AT_LEAST : NO_LIMIT, 100e3);
    report_table();
}

void bench_draining(void) {
    drain_kind(DISTINCT_FILES);
    drain_kind(REWRITTEN_FILES);
}
