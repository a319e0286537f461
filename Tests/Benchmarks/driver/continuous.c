// A file that is written all the time: how often it is logged.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void bench_continuous(void) {
    double seconds = options.full ? 60 : 10;
    report_title("continuous", "one file appended to every 10 ms for %.0f s", seconds);
    char *root = text("%s/continuous-backup", options.memory), *directory = text("%s/tracker", options.memory),
         *path = text("%s/journal.log", root);
    make_directory(root);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) die("%s: %s", path, strerror(errno));
    struct tracker *tracker = tracker_start(root, directory, 0, 60);
    if (tracker) {
        process_settle(tracker->process->pid, 0.5, 30);
        double began = now();
        for (long written = 0; now() - began < seconds; written++) {
            if (write(file, "a line of a journal\n", 20) != 20) die("%s: %s", path, strerror(errno));
            double ahead = began + (double)(written + 1) * 0.01 - now();
            if (ahead > 0) pause_for(ahead);
        }
        pause_for(2.5);  // "again within a second of its last write"
        struct lines lines = lines_load(tracker->log);
        size_t logged = lines_under(&lines, path);
        figure("tracker", "lines in the log", (double)logged, "lines", AT_MOST, seconds + 1);
        figure("tracker", "lines in the log, at least", (double)logged, "lines", AT_LEAST, seconds * 0.75);
        lines_free(&lines);
        tracker_stop(tracker);
    }
    report_table();
    close(file);
    remove_tree(directory);
    remove_tree(root);
    free(root), free(directory), free(path);
}
