// Weekly `rsync -aH --delete --link-dest=<week before>`: a week's own paths are logged once each, the weeks before it
// not at all; and the last line is there soon after rsync exits.
#define _GNU_SOURCE
#include "bench.h"
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEEKS 5

// nftw(3) has no context argument.
static const struct lines *checked;
static size_t entries, missing;

static int check_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    entries++;
    missing += !lines_contain(checked, path);
    return 0;
}

static void edit(const char *docroot, int week) {
    for (int number = 0; number < 3; number++) {
        char *path = text("%s/edited-%d.php", docroot, number);
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        dprintf(file, "<?php // week %d\n", week);
        close(file);
        free(path);
    }
}

static int back_up(const char *docroot, const char *root, int week) {
    char *source = text("%s/", docroot), *destination = text("%s/2026-%02d/", root, week),
         *link = text("--link-dest=%s/2026-%02d", root, week - 1);
    const char *arguments[] = {"rsync", "-aH", "--delete", source, destination, week > 1 ? link : NULL, NULL};
    int status = run_program(arguments, NULL);
    free(source), free(destination), free(link);
    return status;
}

struct follower {
    struct tail tail;
    atomic_bool stop;
};

static void *follow(void *argument) {
    struct follower *follower = argument;
    while (!atomic_load(&follower->stop)) tail_wait(&follower->tail, NULL, now() + 0.05);
    return NULL;
}

// One week with the tracker running. Returns the delay from rsync's exit to the last line.
static double run_week(struct tracker *tracker, const char *docroot, const char *root, int week) {
    edit(docroot, week);
    // The tracker makes the log with its first line.
    int log = open(tracker->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (log < 0) return NAN;
    close(log);
    struct follower follower = {0};
    pthread_t thread;
    if (!tail_open(&follower.tail, tracker->log)) return NAN;
    if (pthread_create(&thread, NULL, follow, &follower) != 0) die("pthread_create");
    int status = back_up(docroot, root, week);
    double ended = now();
    process_settle(tracker->process->pid, 2.5, 60);
    atomic_store(&follower.stop, true);
    pthread_join(thread, NULL);
    double last = follower.tail.last_line;
    tail_close(&follower.tail);
    if (status != 0) report_failure("rsync ended with %d", status);
    return status != 0 || last == 0 ? NAN : last > ended ? last - ended : 0;
}

void bench_linkdest(void) {
    long directories = options.full ? 337 : 60, files = options.full ? 2592 : 400;
    char *root = text("%s/weeks-backup", options.disk), *directory = text("%s/tracker", options.disk),
         *docroot = options.docroot ? text("%s", options.docroot) : text("%s/docroot", options.disk);
    report_title("linkdest", "weeks 2 to %d of %s", WEEKS,
                 options.docroot ? options.docroot : options.full ? "2,592 files in 337 directories" : "400 files");
    if (!options.docroot) make_tree(docroot, directories, files, 42, true);
    char *copy = text("%s/docroot-copy", options.disk);  // the edits must not touch somebody's files
    char *from = text("%s/", docroot);
    if (run_program((const char *[]){"rsync", "-aH", from, copy, NULL}, NULL) != 0) {
        report_failure("rsync is needed");
        goto done;
    }
    make_directory(root);
    if (back_up(copy, root, 1) != 0) report_failure("rsync: the first week failed");
    struct tracker *tracker = tracker_start(root, directory, 0, 60);
    if (tracker) {
        double own = 0, logged = 0, twice = 0, missed = 0, others = 0, delays[WEEKS];
        for (int week = 2; week <= WEEKS; week++) {
            delays[week - 2] = run_week(tracker, copy, root, week);
            struct lines lines = lines_load(tracker->log);
            char *path = text("%s/2026-%02d", root, week);
            checked = &lines, entries = 0, missing = 0;
            nftw(path, check_entry, 64, FTW_PHYS);
            double under = (double)lines_under(&lines, path), distinct = (double)lines_distinct(&lines, path);
            own += (double)entries, missed += (double)missing;
            logged += under, twice += under - distinct, others += (double)lines.count - under;
            lines_free(&lines);
            free(path);
        }
        figure("tracker", "own paths", own, "paths", NO_LIMIT, 0);
        figure("tracker", "lines for them", logged, "lines", AT_MOST, own);
        figure("tracker", "own paths without a line", missed, "paths", AT_MOST, 0);
        figure("tracker", "further lines for the same path", twice, "lines", AT_MOST, 0);
        figure("tracker", "lines for the weeks before", others, "lines", AT_MOST, 0);
        figure("tracker", "last line after rsync's exit, median", median(delays, WEEKS - 1), "s", AT_MOST, 1);
        figure("tracker", "last line after rsync's exit, most", largest(delays, WEEKS - 1), "s", AT_MOST, 1);
        tracker_stop(tracker);
    }
    report_table();
done:
    remove_tree(root);
    remove_tree(directory);
    remove_tree(copy);
    if (!options.docroot) remove_tree(docroot);
    free(root), free(directory), free(docroot), free(copy), free(from);
}
