// What a run makes of 100,000 changed paths before it sends any: `changes sync --dry-run` as a whole process.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEGABYTE 1e6
#define FILES 100000
#define WALL_LIMIT 1.0  // seconds for so many changed paths
#define MEMORY_LIMIT 100.0

static void measure(const char *subject, const struct offsite *offsite, size_t lines, double limit) {
    const char *arguments[] = {options.changes, "sync",    "--dry-run",
                               "--config",      offsite->configuration, "--state", offsite->tracker->state, NULL};
    double wall[64], cpu[64], memory = 0;
    process_settle(offsite->tracker->process->pid, 1, 120);
    struct usage first = measure_program(subject, arguments, NULL, true);
    if (first.succeeded && first.lines < lines)
        report_failure("%s: %zu lines instead of %zu", subject, first.lines, lines);
    for (int round = 0; round < options.repeats; round++) {
        struct usage run = measure_program(subject, arguments, NULL, false);
        wall[round] = run.wall, cpu[round] = run.cpu;
        if (run.memory > memory) memory = run.memory;
    }
    size_t rounds = (size_t)options.repeats;
    figure(subject, "wall time", median(wall, rounds), "s", AT_MOST, limit);
    figure(subject, "CPU time", median(cpu, rounds), "s", NO_LIMIT, 0);
    figure(subject, "peak RSS", memory / MEGABYTE, "MB", AT_MOST, MEMORY_LIMIT);
}

// A week of hard links to everything, as `rsync --link-dest` makes it: as many names that are new.
static void link_all(const struct offsite *offsite) {
    char *week = text("%s/week", offsite->root);
    if (run_program((const char *[]){"sh", "-c", "mkdir \"$2\" && cp -al \"$1\"/top-* \"$2\"", "sh", offsite->root,
                                     week, NULL},
                    NULL)
        != 0)
        die("cp -al failed");
    free(week);
}

void bench_planning(void) {
    report_title("planning", "%d changed paths, %d runs, to a local destination, in %s (%s)", FILES, options.repeats,
                 options.disk, file_system_of(options.disk));
    char *directory = text("%s/offsite", options.disk);
    struct offsite *offsite = offsite_start(directory, FILES, NULL);
    if (offsite) {
        measure("nothing pending", offsite, 0, WALL_LIMIT);
        for (long number = 0; number < FILES; number++) offsite_change(offsite, number);
        measure("files modified", offsite, FILES, WALL_LIMIT);
        if (offsite_sync(offsite, "--once")) {
            link_all(offsite);
            measure("names linked", offsite, FILES, WALL_LIMIT);
        }
        if (offsite_sync(offsite, "--once")) {
            char *from = text("%s/week", offsite->root), *to = text("%s/other-week", offsite->root);
            if (rename(from, to) < 0) die("%s: %s", from, strerror(errno));
            // Each path in it changed twice: the old name is gone, the new one is there.
            measure("directory renamed", offsite, 2 * FILES, 2 * WALL_LIMIT);
            free(from), free(to);
        }
        offsite_stop(offsite);
    }
    report_table();
    free(directory);
}
