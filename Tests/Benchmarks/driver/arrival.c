// From a file's last write to its presence at the destination, with `changes sync --watch` or lsyncd in between.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES 2000
#define LIMIT 2.0
#define TIMEOUT 30.0

static void sample(const char *subject, const struct offsite *offsite, bool limited) {
    int samples = options.full ? 30 : 12;
    double delays[64];
    uint64_t seed = 11;
    for (int number = 0; number < samples; number++) {
        // Alone: the one before has arrived, and whatever follows its arrival is over.
        pause_for(0.7 + (double)(next_random(&seed) % 300) / 1000);
        delays[number] = offsite_arrival(offsite, number * 61 % FILES, TIMEOUT);
        if (isnan(delays[number])) report_failure("%s: nothing arrived within %.0f s", subject, TIMEOUT);
    }
    enum limit kind = limited ? AT_MOST : NO_LIMIT;
    figure(subject, "last write to presence, median", median(delays, (size_t)samples), "s", kind, LIMIT);
    figure(subject, "last write to presence, most", largest(delays, (size_t)samples), "s", kind, LIMIT);
}

void bench_arrival(void) {
    report_title("arrival", "one changed file of %d, over ssh on loopback, in %s (%s)", FILES, options.disk,
                 file_system_of(options.disk));
    char *receiving = text("%s/receiver", options.disk), *directory = text("%s/offsite", options.disk);
    struct receiver *receiver = receiver_start(receiving);
    struct offsite *offsite = receiver ? offsite_start(directory, FILES, receiver) : NULL;
    if (offsite) {
        struct process *worker = watch_start(offsite);
        if (worker) {
            sample("changes sync --watch", offsite, true);
            process_stop(worker);
            process_free(worker);
        }
        struct process *lsyncd = lsyncd_start(offsite, receiver, 0);
        if (lsyncd) {
            sample("lsyncd", offsite, false);
            process_free(lsyncd);
        }
        offsite_stop(offsite);
    }
    if (receiver) receiver_stop(receiver);
    report_table();
    free(receiving), free(directory);
}
