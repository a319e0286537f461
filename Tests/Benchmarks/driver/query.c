// Questions to a long history: `changes query` as a whole process, its time and its memory, beside what else could
// answer them: grep over a text log, find over the files, and a C loop over the same rows of the store.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEGABYTE 1e6
#define MEMORY_LIMIT 40.0
#define HITS 1000             // RECENT_HITS of ../history/history.h
#define HITS_EVERYWHERE 5000  // with RECENT_OTHERS
#define SOME_LINES 0
#define ARGUMENTS 13  // of a question at most, with NULL

struct history { long files, rows; };

// What is asked, and where: made by make_history.
struct place {
    char *base, *root;  // the files
    char *state, *store, *log;
};

struct subject {
    const char *label;
    const char *arguments[ARGUMENTS];
    size_t lines;       // of the answer; SOME_LINES: at least one
    int runs;           // in a round, of which the median counts
    bool is_query;      // its memory has a limit
    double wall_limit;  // seconds; 0: none
    bool failed;
    double wall[64], cpu[64];  // of each round
    double memory;             // the most of all runs
};

// MARK: making the history

static bool make_history(const char *const *arguments) {
    char *program = text("%s/make_history", options.peers);
    const char *whole[8] = {program};
    for (int index = 0; arguments[index]; index++) whole[index + 1] = arguments[index];
    bool made = measure_program("make_history", whole, NULL, false).succeeded;
    free(program);
    return made;
}

// The files are made once; a file beside them says that they are whole.
static bool prepare_files(const char *base, const char *files) {
    char *done = text("%s-%s.made", base, files);
    bool whole = access(done, F_OK) == 0;
    if (!whole) {
        run_program((const char *[]){"sh", "-c", "rm -f \"$1\"-*.made", "sh", base, NULL}, NULL);
        remove_tree(base);
        make_directory(base);
        double began = now();
        whole = make_history((const char *[]){"tree", base, files, NULL});
        int mark = whole ? open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (mark >= 0) close(mark);
        report_note("%s files made in %.0f s", files, now() - began);
    }
    free(done);
    return whole;
}

static bool prepare(const struct history *history, struct place *place) {
    make_directory(options.tree);
    char *parent = realpath(options.tree, NULL);
    char *files = text("%ld", history->files), *rows = text("%ld", history->rows);
    if (!parent) die("%s: %s", options.tree, strerror(errno));
    place->base = text("%s/query", parent);
    place->root = text("%s/roundcube-backup", place->base);
    place->state = text("%s/query-state", options.disk);
    place->store = text("%s/store.db", place->state);
    place->log = text("%s/query.log", options.disk);
    make_directory(place->state);
    bool made = prepare_files(place->base, files);
    if (made) {
        double began = now();
        made = make_history((const char *[]){"store", place->base, files, rows, place->state, place->log, NULL});
        report_note("store of %.0f MB and log of %.0f MB made in %.0f s", read_file_bytes(place->store) / MEGABYTE,
                    read_file_bytes(place->log) / MEGABYTE, now() - began);
    }
    free(parent), free(files), free(rows);
    return made;
}

// The log's hours that the last hour reaches into, as grep finds them. Nothing happened in the rest of the first one.
static char *last_hours(void) {
    char hours[2][16];
    for (int back = 0; back < 2; back++) {
        time_t second = time(NULL) - (1 - back) * 3600;
        struct tm parts;
        strftime(hours[back], sizeof hours[back], "%Y-%m-%dT%H", gmtime_r(&second, &parts));
    }
    return text("^(%s|%s):.*/roundcube-backup/", hours[0], hours[1]);
}

// MARK: asking

// Once with its lines counted, which also warms what it reads.
static void try_subject(struct subject *subject) {
    struct usage run = measure_program(subject->label, subject->arguments, NULL, true);
    subject->failed = !run.succeeded;
    subject->memory = run.memory;
    if (subject->failed) return;
    bool expected = subject->lines == SOME_LINES ? run.lines > 0 : run.lines == subject->lines;
    if (!expected) report_failure("%s: %zu lines instead of %zu", subject->label, run.lines, subject->lines);
}

static void ask(struct subject *subject, int round, const char *output) {
    double wall[64], cpu[64];
    for (int index = 0; index < subject->runs; index++) {
        struct usage run = {.wall = NAN, .cpu = NAN};
        if (!subject->failed) run = measure_program(subject->label, subject->arguments, output, false);
        wall[index] = run.wall, cpu[index] = run.cpu;
        if (run.memory > subject->memory) subject->memory = run.memory;
    }
    subject->wall[round] = median(wall, (size_t)subject->runs);
    subject->cpu[round] = median(cpu, (size_t)subject->runs);
}

static void report(const struct subject *subject, int rounds) {
    double limit = subject->wall_limit;
    figure(subject->label, "wall time", median(subject->wall, (size_t)rounds), "s", limit ? AT_MOST : NO_LIMIT, limit);
    figure(subject->label, "CPU time", median(subject->cpu, (size_t)rounds), "s", NO_LIMIT, 0);
    figure(subject->label, "peak RSS", subject->failed ? NAN : subject->memory / MEGABYTE, "MB",
           subject->is_query ? AT_MOST : NO_LIMIT, MEMORY_LIMIT);
}

static void report_ratio(const struct subject *above, const struct subject *below, int rounds) {
    double ratios[64];
    for (int round = 0; round < rounds; round++) ratios[round] = above->wall[round] / below->wall[round];
    char *label = text("%s / %s", above->label, below->label);
    figure(label, "wall time", median(ratios, (size_t)rounds), "x", NO_LIMIT, 0);
    free(label);
}

// Asks all of them in each round, and the order rotates. The first `asked` are compared with each after them.
static void compare(struct subject *subjects, size_t count, size_t asked, int rounds) {
    // Not to /dev/null: grep stops at the first line when it finds that there.
    char *output = text("%s/answer", options.memory);
    for (size_t index = 0; index < count; index++) try_subject(&subjects[index]);
    for (int round = 0; round < rounds; round++)
        for (size_t index = 0; index < count; index++) {
            struct subject *subject = &subjects[(index + (size_t)round) % count];
            ask(subject, round, subject->is_query ? NULL : output);
        }
    unlink(output);
    free(output);
    for (size_t index = 0; index < count; index++) report(&subjects[index], rounds);
    for (size_t index = 0; index < asked; index++)
        for (size_t other = asked; other < count; other++) report_ratio(&subjects[index], &subjects[other], rounds);
}

#define QUERY(place) options.changes, "query", "--state", (place)->state

static void compare_last_hour(const struct place *place) {
    char *pattern = last_hours(), *peer = text("%s/peer_query", options.peers);
    struct subject subjects[] = {
        {.label = "last hour of a root", .lines = HITS, .runs = 5, .is_query = true, .wall_limit = 0.030,
         .arguments = {QUERY(place), "--since", "1h", "--under", "roundcube-backup", "--format", "paths"}},
        {.label = "changes --help", .runs = 5, .arguments = {options.changes, "--help"}},
        {.label = "C loop, paths", .lines = HITS, .runs = 5,
         .arguments = {peer, "paths", place->store, "3600", place->root}},
        {.label = "grep", .lines = HITS, .runs = 1, .arguments = {"grep", "-E", pattern, place->log}},
        {.label = "find, the root", .lines = HITS, .runs = 1,
         .arguments = {"find", place->root, "-newermt", "1 hour ago"}},
        {.label = "find, all roots", .lines = HITS_EVERYWHERE, .runs = 1,
         .arguments = {"find", place->base, "-newermt", "1 hour ago"}},
    };
    compare(subjects, COUNT(subjects), 1, options.repeats);
    free(pattern), free(peer);
}

static void compare_week(const struct place *place) {
    char *peer = text("%s/peer_query", options.peers);
    struct subject subjects[] = {
        {.label = "week by hour", .runs = 3, .is_query = true, .wall_limit = 1,
         .arguments = {QUERY(place), "--since", "7d", "--by", "hour"}},
        {.label = "week by hour, history", .runs = 3, .is_query = true, .wall_limit = 1,
         .arguments = {QUERY(place), "--since", "7d", "--by", "hour", "--history"}},
        {.label = "C loop, hours", .runs = 3, .arguments = {peer, "hours", place->store, "604800"}},
        // All 90 days: to leave out the others takes no less time.
        {.label = "cut | uniq -c", .runs = 1,
         .arguments = {"sh", "-c", "cut -c1-13 \"$1\" | uniq -c | tail -n 168", "sh", place->log}},
    };
    compare(subjects, COUNT(subjects), 2, options.repeats);
    free(peer);
}

// Answers of up to the whole history: what they take in memory. Once into a pipe, once to /dev/null.
static void ask_everything(const struct place *place, const struct history *history) {
    size_t paths = (size_t)history->files, rows = (size_t)history->rows;
    struct subject subjects[] = {
        {.label = "json", .lines = paths, .arguments = {QUERY(place), "--format", "json"}},
        {.label = "json, history", .lines = rows, .arguments = {QUERY(place), "--history", "--format", "json"}},
        {.label = "sort size", .lines = paths, .arguments = {QUERY(place), "--sort", "size", "--format", "paths"}},
        {.label = "sort path", .lines = paths, .arguments = {QUERY(place), "--sort", "path", "--format", "paths"}},
        {.label = "by dir", .lines = paths / 10, .arguments = {QUERY(place), "--by", "dir", "--format", "json"}},
        {.label = "top 10", .lines = 10, .arguments = {QUERY(place), "--top", "10", "--format", "json"}},
    };
    for (size_t index = 0; index < COUNT(subjects); index++) {
        struct subject *subject = &subjects[index];
        subject->runs = 1;
        subject->is_query = true;
        try_subject(subject);
        ask(subject, 0, NULL);
        report(subject, 1);
    }
}

void bench_query(void) {
    struct history history =
        options.full ? (struct history){1000000, 10000000} : (struct history){100000, 1000000};
    struct place place = {0};
    report_title("query", "%ld changes over %ld paths in 90 days, warm, %d rounds, in %s (%s)", history.rows,
                 history.files, options.repeats, options.disk, file_system_of(options.disk));
    if (prepare(&history, &place)) {
        // First, before the hour goes on: what it found is the last 20 minutes of the history.
        compare_last_hour(&place);
        compare_week(&place);
        ask_everything(&place, &history);
    }
    report_table();
    remove_tree(place.state);
    remove(place.log);
    free(place.base), free(place.root), free(place.state), free(place.store), free(place.log);
}
