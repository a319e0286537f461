// Idle: how often any thread wakes while nothing happens, without a watchdog and with one.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdlib.h>

#define WATCHDOG 10000000L  // µs; a service pings at least every half of it

void bench_idle(void) {
    double seconds = options.full ? 30 : 10;
    report_title("idle", "%.0f s with nothing happening; voluntary and involuntary switches of all threads", seconds);
    char *root[2], *directory[2];
    struct tracker *tracker[2];
    for (int kind = 0; kind < 2; kind++) {
        root[kind] = text("%s/idle%d-backup", options.memory, kind);
        directory[kind] = text("%s/tracker%d", options.memory, kind);
        make_directory(root[kind]);
        writers_prepare(root[kind], REWRITTEN_FILES, 100);
        tracker[kind] = tracker_start(root[kind], directory[kind], kind == 0 ? 0 : WATCHDOG, 60);
    }
    if (tracker[0] && tracker[1]) {
        // Some changes first: what follows them (the log's fdatasync, the checkpoint) must end too.
        for (int kind = 0; kind < 2; kind++) writers_run(root[kind], REWRITTEN_FILES, 100, 100, 0);
        // Full scale also waits out the minute that "changes in the last minute" speaks of.
        pause_for(options.full ? 65 : 12);
        struct switches before[2], after[2];
        double cpu[2];
        int messages[2];
        for (int kind = 0; kind < 2; kind++) {
            before[kind] = process_switches(tracker[kind]->process->pid);
            cpu[kind] = process_cpu(tracker[kind]->process->pid);
            messages[kind] = atomic_load(&tracker[kind]->process->messages);
        }
        pause_for(seconds);
        for (int kind = 0; kind < 2; kind++) {
            after[kind] = process_switches(tracker[kind]->process->pid);
            cpu[kind] = process_cpu(tracker[kind]->process->pid) - cpu[kind];
            messages[kind] = atomic_load(&tracker[kind]->process->messages) - messages[kind];
        }
        double wakeups[2];
        for (int kind = 0; kind < 2; kind++)
            wakeups[kind] = (double)(after[kind].voluntary - before[kind].voluntary);
        figure("tracker", "wake-ups, no watchdog", wakeups[0], "switches", AT_MOST, 0);
        figure("tracker", "CPU, no watchdog", cpu[0] * 1e3, "ms", NO_LIMIT, 0);
        figure("tracker", "watchdog's messages (10 s)", messages[1], "messages", NO_LIMIT, 0);
        // A ping asks the pipeline's threads whether they move: a few switches each, and nothing in between.
        figure("tracker", "wake-ups, watchdog of 10 s", wakeups[1], "switches", NO_LIMIT, 0);
        figure("tracker", "wake-ups a watchdog message", messages[1] ? wakeups[1] / messages[1] : NAN, "switches",
               AT_MOST, 8);
        report_note("involuntary switches: %ld and %ld", after[0].involuntary - before[0].involuntary,
                    after[1].involuntary - before[1].involuntary);
    }
    report_table();
    for (int kind = 0; kind < 2; kind++) {
        if (tracker[kind]) tracker_stop(tracker[kind]);
        remove_tree(directory[kind]);
        remove_tree(root[kind]);
        free(directory[kind]);
        free(root[kind]);
    }
}
