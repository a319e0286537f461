// One changed file among many: `changes sync --once` over ssh, beside what carries the same file by other means.
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RUNS 7  // of a short command in a round

struct place {
    struct offsite *offsite;
    struct receiver *receiver;
    char *single, *single_target;  // a file outside of the tree, and where it goes
    long next;                     // the next file to change
};

static double least(const double *values, size_t count) {
    double result = NAN;
    for (size_t index = 0; index < count; index++)
        if (isnan(result) || values[index] < result) result = values[index];
    return result;
}

// Files far from one another.
static void change_one(struct place *place) {
    place->next = (place->next + 7919) % place->offsite->files;
    offsite_change(place->offsite, place->next);
}

static double time_sync(struct place *place) {
    change_one(place);
    struct offsite *offsite = place->offsite;
    struct usage run = measure_program("changes sync",
                                       (const char *[]){options.changes, "sync", "--once", "--config",
                                                        offsite->configuration, "--state", offsite->tracker->state,
                                                        NULL},
                                       NULL, false);
    return run.succeeded ? run.wall : NAN;
}

// ssh's command line is one of plain words, so the shell may split it.
static double time_ssh(struct place *place) {
    char *line = text("exec %s %s@127.0.0.1 true", place->receiver->ssh, place->receiver->user);
    struct usage run = measure_program("ssh true", (const char *[]){"sh", "-c", line, NULL}, NULL, false);
    free(line);
    return run.succeeded ? run.wall : NAN;
}

static double time_single(struct place *place) {
    FILE *file = fopen(place->single, "a");
    if (!file || fputc('x', file) < 0 || fclose(file) != 0) die("%s", place->single);
    struct usage run = measure_program(
        "rsync, one file",
        (const char *[]){"rsync", "-a", "--no-owner", "--no-group", "-e", place->receiver->ssh, place->single,
                         place->single_target, NULL},
        NULL, false);
    return run.succeeded ? run.wall : NAN;
}

static double time_tree(struct place *place) {
    change_one(place);
    char *source = text("%s/", place->offsite->root);
    char *target = text("%s@127.0.0.1:%s/mail-backup/", place->receiver->user, place->receiver->target);
    struct usage run = measure_program("rsync, the tree",
                                       (const char *[]){"rsync", "-a", "--no-owner", "--no-group", "-e",
                                                        place->receiver->ssh, source, target, NULL},
                                       NULL, false);
    free(source), free(target);
    // What it carried is still pending.
    offsite_sync(place->offsite, "--once");
    return run.succeeded ? run.wall : NAN;
}

// With whoever carries it.
static double time_arrival(struct place *place) {
    // The one before is over, with all that follows its arrival.
    pause_for(0.5);
    place->next = (place->next + 7919) % place->offsite->files;
    return offsite_arrival(place->offsite, place->next, 60);
}

struct subject {
    const char *label;
    double (*run)(struct place *place);
    int runs;
    double wall[64], least[64];
};
enum { SYNC, SSH, SINGLE, TREE };

static void take(struct subject *subject, struct place *place, int round) {
    double values[RUNS];
    for (int run = 0; run < subject->runs; run++) values[run] = subject->run(place);
    subject->wall[round] = median(values, (size_t)subject->runs);
    subject->least[round] = least(values, (size_t)subject->runs);
}

// The short commands one by one in turn, so that whatever the machine does meanwhile meets all of them.
static void take_round(struct subject *subjects, struct place *place, int round) {
    double values[3][RUNS];
    for (int run = 0; run < RUNS; run++)
        for (int turn = 0; turn < 3; turn++) {
            int at = (turn + run) % 3;
            values[at][run] = subjects[at].run(place);
        }
    for (int at = 0; at < 3; at++) {
        subjects[at].wall[round] = median(values[at], RUNS);
        subjects[at].least[round] = least(values[at], RUNS);
    }
    take(&subjects[TREE], place, round);
}

static void report(const struct subject *subject, size_t rounds) {
    figure(subject->label, "wall time", median(subject->wall, rounds), "s", NO_LIMIT, 0);
    figure(subject->label, "wall time, least", least(subject->least, rounds), "s", NO_LIMIT, 0);
}

static void compare(struct place *place) {
    size_t rounds = (size_t)options.repeats;
    struct subject subjects[] = {
        [SYNC] = {.label = "changes sync --once", .run = time_sync},
        [SSH] = {.label = "ssh true", .run = time_ssh},
        [SINGLE] = {.label = "rsync, one file", .run = time_single},
        [TREE] = {.label = "rsync, the tree", .run = time_tree, .runs = 1},
    };
    for (size_t index = 0; index < COUNT(subjects); index++) subjects[index].run(place);  // warm
    for (int round = 0; round < options.repeats; round++) take_round(subjects, place, round);
    struct subject lsyncd = {.label = "lsyncd", .run = time_arrival, .runs = RUNS};
    // One at a time: each would carry the other's changes.
    struct subject watch = {.label = "changes sync --watch", .run = time_arrival, .runs = RUNS};
    struct process *worker = watch_start(place->offsite);
    if (worker) {
        for (int round = 0; round < options.repeats; round++) take(&watch, place, round);
        process_stop(worker);
        process_free(worker);
    }
    struct process *process = lsyncd_start(place->offsite, place->receiver, 0);
    if (process) {
        for (int round = 0; round < options.repeats; round++) take(&lsyncd, place, round);
        process_free(process);
    }
    for (size_t index = 0; index < COUNT(subjects); index++) report(&subjects[index], rounds);
    if (worker) report(&watch, rounds);
    if (process) report(&lsyncd, rounds);

    double bare[64], tree[64], other[64], kept[64];
    for (size_t round = 0; round < rounds; round++) {
        bare[round] = subjects[SYNC].wall[round] / (subjects[SSH].wall[round] + subjects[SINGLE].wall[round]);
        tree[round] = subjects[SYNC].wall[round] / subjects[TREE].wall[round];
        other[round] = process ? subjects[SYNC].wall[round] / lsyncd.wall[round] : NAN;
        kept[round] = process && worker ? watch.wall[round] / lsyncd.wall[round] : NAN;
    }
    figure("changes sync / (ssh true + rsync, one file)", "wall time", median(bare, rounds), "x", AT_MOST, 1.3);
    figure("changes sync / rsync, the tree", "wall time", median(tree, rounds), "x", NO_LIMIT, 0);
    if (process) figure("changes sync --once / lsyncd", "wall time", median(other, rounds), "x", NO_LIMIT, 0);
    if (process && worker)
        figure("changes sync --watch / lsyncd", "wall time", median(kept, rounds), "x", AT_MOST, 0.9);
}

void bench_sync(void) {
    long files = options.full ? 1000000 : 50000;
    report_title("sync", "one changed file of %ld, over ssh on loopback, %d rounds of %d, in %s (%s)", files,
                 options.repeats, RUNS, options.disk, file_system_of(options.disk));
    char *receiving = text("%s/receiver", options.disk), *directory = text("%s/offsite", options.disk);
    struct place place = {.receiver = receiver_start(receiving)};
    if (place.receiver) place.offsite = offsite_start(directory, files, place.receiver);
    if (place.offsite) {
        place.single = text("%s/single", directory);
        place.single_target = text("%s@127.0.0.1:%s/single", place.receiver->user, place.receiver->target);
        compare(&place);
        free(place.single), free(place.single_target);
        offsite_stop(place.offsite);
    }
    if (place.receiver) receiver_stop(place.receiver);
    report_table();
    free(receiving), free(directory);
}
