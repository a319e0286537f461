// lsyncd as Debian ships it, with its rsync over ssh and no delay.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Milliseconds would be lost with a longer pause, and a processor with none.
#define GLANCE 0.001

static double arrival_of(const char *path, double size, double timeout) {
    for (double deadline = now() + timeout; now() < deadline; pause_for(GLANCE))
        if (read_file_bytes(path) == size) return now();
    return NAN;
}

double offsite_arrival(const struct offsite *offsite, long number, double timeout) {
    char *path = offsite_path(offsite, number), *name = offsite_name(number);
    char *copy = text("%s/mail-backup/%s", offsite->copy, name);
    offsite_change(offsite, number);
    double written = now(), seen = arrival_of(copy, read_file_bytes(path), timeout);
    free(path), free(name), free(copy);
    return seen - written;
}

struct process *lsyncd_start(const struct offsite *offsite, const struct receiver *receiver, long probe) {
    char *configuration = text("%s/lsyncd.lua", offsite->directory);
    // Without the copy of everything that it begins with: the destination has all of it.
    write_text(configuration, text("settings { nodaemon = true }\n"
                                   "sync { default.rsync, source = \"%s\", target = \"%s@127.0.0.1:%s/mail-backup\",\n"
                                   "  delay = 0, init = false,\n"
                                   "  rsync = { archive = true, owner = false, group = false, rsh = \"%s\" } }\n",
                                   offsite->root, receiver->user, offsite->copy, receiver->ssh));
    struct process *process = process_start("lsyncd", (const char *[]){"lsyncd", configuration, NULL}, NULL, 0);
    free(configuration);
    // It says nowhere that it watches everything; a change that arrives does.
    for (double deadline = now() + 300; now() < deadline;)
        if (!isnan(offsite_arrival(offsite, probe, 3))) return process;
    report_note("lsyncd is left out: nothing arrived (is it installed? apt install lsyncd)");
    process_free(process);
    return NULL;
}
