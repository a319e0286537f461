// Draining: how fast events are taken from the kernel, and what one costs.
//
// Every consumer gets the same writers in turn, the order rotating from run to run; the ratios are taken within a run,
// and their medians count. First at a steady rate just above the one promised, where nobody may lose anything; then
// flat out, where the queue may overflow and the tracker has to heal it. At last the tracker and the C peers climb a
// ladder of rates until they lose events.
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
    double events, lost;  // what it counted and what it missed, in events or (tracker, watchman) in paths
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
        // It says nothing of an overflow, but it writes a line for each event.
        struct lines lines = lines_load(output);
        run->events = (double)lines_under(&lines, root);
        run->lost = events_of(load) - run->events;
        run->overflow = run->lost > 0;
        lines_free(&lines);
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
    static const double ladder[] = {100e3, 150e3, 225e3, 340e3, 500e3, 750e3};
    double best = 0;
    for (size_t rung = 0; rung < COUNT(ladder); rung++) {
        // Long enough that the queue (16,384 events) hides nothing.
        struct load load = {kind, (long)(ladder[rung] * (options.full ? 3 : 1)) / WRITERS / events_each(kind), set,
                            ladder[rung]};
        bool kept = false;
        double reached = 0;
        for (int attempt = 0; attempt < 2 && !kept; attempt++) {  // one slip may be the machine's
            struct run run = drain(consumer, &load);
            kept = run.ran && !run.overflow && run.lost == 0;
            reached = events_of(&load) / run.writing;
        }
        if (!kept) break;
        if (reached > best) best = reached;
        if (reached < ladder[rung] * 0.9) break;  // the writers can do no more
    }
    return best;
}

static void report_consumer(struct run runs[][CONSUMERS], const struct load *load, enum consumer consumer) {
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
    const char *name = names[consumer];
    size_t repeats = (size_t)options.repeats;
    bool subject = consumer == TRACKER, steady = load->rate > 0;
    if (!ran && !subject) return;
    figure(name, "written", median(rate, repeats), "events/s", subject && steady ? AT_LEAST : NO_LIMIT, 100e3);
    figure(name, "runs with overflow", ran ? overflows : NAN, "runs", subject && steady ? AT_MOST : NO_LIMIT, 0);
    figure(name, "missed in a run, most", ran ? largest(lost, repeats) : NAN,
           subject || consumer == WATCHMAN ? "paths" : "events", subject ? AT_MOST : NO_LIMIT, 0);
    figure(name, "done after the last write", median(lag, repeats), "s", NO_LIMIT, 0);
    // What was lost in an overflow cost nothing, so the cost of an event can't be told then.
    if (overflows) return;
    if (subject) figure(name, "CPU, reading thread", median(reader, repeats), "ns/event", NO_LIMIT, 0);
    figure(name, "CPU, whole process", median(cpu, repeats), "ns/event", NO_LIMIT, 0);
}

// The median, over the runs in which neither lost events, of one consumer's cost over another's.
static double ratio(struct run runs[][CONSUMERS], bool reader, enum consumer above, enum consumer below) {
    double values[64];
    for (int repeat = 0; repeat < options.repeats; repeat++) {
        const struct run *a = &runs[repeat][above], *b = &runs[repeat][below];
        bool comparable = a->ran && b->ran && !a->overflow && !b->overflow;
        values[repeat] = comparable ? (reader ? a->reader : a->cpu) / b->cpu : NAN;
    }
    return median(values, (size_t)options.repeats);
}

static void drain_with_all(const struct load *load) {
    bool steady = load->rate > 0;
    char *title = text("draining-%s-%s", load->kind == DISTINCT_FILES ? "distinct" : "rewritten",
                       steady ? "steady" : "flat-out"),
         *rate = steady ? text("%.0f events/s", load->rate) : text("full speed");
    report_title(title, "%d writers %s on tmpfs, %.0f events at %s, %d runs", WRITERS,
                 load->kind == DISTINCT_FILES ? "create small files" : "rewrite 500 files each in place",
                 events_of(load), rate, options.repeats);
    free(rate);

    static struct run runs[64][CONSUMERS];
    memset(runs, 0, sizeof runs);
    for (int repeat = 0; repeat < options.repeats; repeat++)
        for (int turn = 0; turn < CONSUMERS; turn++) {
            enum consumer consumer = (enum consumer)((turn + repeat * 2) % CONSUMERS);
            runs[repeat][consumer] = drain(consumer, load);
        }
    for (enum consumer consumer = 0; consumer < CONSUMERS; consumer++) report_consumer(runs, load, consumer);
    figure("tracker / peer_read", "CPU, reading thread", ratio(runs, true, TRACKER, PLAIN_READ), "x",
           steady ? AT_MOST : NO_LIMIT, 2.5);
    figure("tracker / peer_pipeline", "CPU, whole process", ratio(runs, false, TRACKER, PIPELINE), "x",
           steady ? AT_MOST : NO_LIMIT, 1.5);
    for (enum consumer other = GATHERING_PIPELINE; other < CONSUMERS; other++) {
        if (other == TRACKER) continue;
        char *subject = text("tracker / %s", names[other]);
        figure(subject, "CPU, whole process", ratio(runs, false, TRACKER, other), "x", NO_LIMIT, 0);
        free(subject);
    }
    report_table();
}

static void drain_kind(enum writing kind) {
    const char *name = kind == DISTINCT_FILES ? "distinct" : "rewritten";
    struct load load = {.kind = kind, .set = 500, .rate = 110e3};
    load.count = (long)(load.rate * (options.full ? 6 : 2)) / WRITERS / events_each(kind);
    drain_with_all(&load);

    load.rate = 0;
    load.count = (options.full ? 1200000 : 300000) / WRITERS / events_each(kind);
    drain_with_all(&load);

    char *title = text("draining-%s-ladder", name);
    report_title(title, "the highest rate at which nothing overflows");
    static const enum consumer climbers[] = {PLAIN_READ, PIPELINE, TRACKER};
    for (size_t index = 0; index < COUNT(climbers); index++)
        figure(names[climbers[index]], "sustained", climb(climbers[index], kind, load.set), "events/s",
               climbers[index] == TRACKER ? AT_LEAST : NO_LIMIT, 99e3);
    report_table();
}

void bench_draining(void) {
    drain_kind(DISTINCT_FILES);
    drain_kind(REWRITTEN_FILES);
}
