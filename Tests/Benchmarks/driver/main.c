// The driver of the benchmarks; `../run` builds it, gives it scratch directories and removes them. See README.md.
#define _GNU_SOURCE
#include "bench.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

struct options options = {.repeats = 0};

static const struct benchmark {
    const char *name;
    void (*run)(void);
} benchmarks[] = {
    {"draining", bench_draining}, {"start", bench_start}, {"continuous", bench_continuous},
    {"linkdest", bench_linkdest}, {"idle", bench_idle},   {"latency", bench_latency},
    {"query", bench_query},       {"sync", bench_sync},   {"planning", bench_planning},
    {"arrival", bench_arrival},   {"firstcopy", bench_firstcopy},
};

static long read_number(const char *path) {
    long number = -1;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &number) != 1) number = -1;
    if (file) fclose(file);
    return number;
}

static void print_machine(void) {
    struct utsname name;
    uname(&name);
    printf("Linux %s, %ld processors, %.1f GB of memory; max_queued_events %ld, max_user_watches %ld; scale %s\n",
           name.release, sysconf(_SC_NPROCESSORS_ONLN),
           (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1e9,
           read_number("/proc/sys/fs/inotify/max_queued_events"), read_number("/proc/sys/fs/inotify/max_user_watches"),
           options.full ? "full" : "small");
}

static bool wanted(const char *name, char **names, int count) {
    for (int index = 0; index < count; index++)
        if (strcmp(names[index], name) == 0) return true;
    return count == 0;
}

int main(int count, char **arguments) {
    static const struct option known[] = {
        {"changes", required_argument, NULL, 'c'}, {"peers", required_argument, NULL, 'p'},
        {"memory", required_argument, NULL, 'm'},  {"disk", required_argument, NULL, 'd'},
        {"tree", required_argument, NULL, 't'},    {"docroot", required_argument, NULL, 'o'},
        {"scale", required_argument, NULL, 's'},   {"repeats", required_argument, NULL, 'r'},
        {0},
    };
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (option) {
        case 'c': options.changes = optarg; break;
        case 'p': options.peers = optarg; break;
        case 'm': options.memory = optarg; break;
        case 'd': options.disk = optarg; break;
        case 't': options.tree = optarg; break;
        case 'o': options.docroot = optarg; break;
        case 's': options.full = strcmp(optarg, "full") == 0; break;
        case 'r': options.repeats = atoi(optarg); break;
        default: return 2;
        }
    }
    if (!options.changes || !options.peers || !options.memory || !options.disk || !options.tree)
        die("started without its directories: use ../run");
    if (options.repeats < 1 || options.repeats > 50) options.repeats = options.full ? 5 : 3;
    for (int index = optind; index < count; index++) {
        bool exists = false;
        for (size_t at = 0; at < COUNT(benchmarks); at++) exists |= strcmp(benchmarks[at].name, arguments[index]) == 0;
        if (!exists)
            die("no benchmark '%s': draining, start, continuous, linkdest, idle, latency, query, sync, planning, "
                "arrival", arguments[index]);
    }
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    print_machine();
    for (size_t at = 0; at < COUNT(benchmarks); at++)
        if (wanted(benchmarks[at].name, arguments + optind, count - optind)) benchmarks[at].run();
    return report_finish();
}
