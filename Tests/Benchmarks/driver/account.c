// What a program used, as the kernel accounts for it.
#define _GNU_SOURCE
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// The process's CPU clock (clock_getcpuclockid(3)): nanoseconds, threads that ended included.
double process_cpu(pid_t pid) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return NAN;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool read_small(const char *path, char *buffer, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t length = read(file, buffer, size - 1);
    close(file);
    if (length < 0) return false;
    buffer[length] = 0;
    return true;
}

// Calls `visit` with the /proc directory of each thread.
static void each_thread(pid_t pid, void (*visit)(const char *directory, void *context), void *context) {
    char path[64], thread[320];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *listing = opendir(path);
    if (!listing) return;
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(thread, sizeof thread, "%s/%s", path, entry->d_name);
        visit(thread, context);
    }
    closedir(listing);
}

struct named { const char *name; double seconds; };

static void add_named(const char *directory, void *context) {
    struct named *named = context;
    char path[384], content[512];
    snprintf(path, sizeof path, "%s/comm", directory);
    if (!read_small(path, content, sizeof content)) return;
    content[strcspn(content, "\n")] = 0;
    if (strcmp(content, named->name) != 0) return;
    snprintf(path, sizeof path, "%s/schedstat", directory);  // nanoseconds on a processor, waiting, slices
    if (!read_small(path, content, sizeof content)) return;
    named->seconds = (isnan(named->seconds) ? 0 : named->seconds) + strtod(content, NULL) / 1e9;
}

double thread_cpu(pid_t pid, const char *name) {
    struct named named = {name, NAN};
    each_thread(pid, add_named, &named);
    return named.seconds;
}

static void add_switches(const char *directory, void *context) {
    struct switches *switches = context;
    char path[384], content[4096];
    snprintf(path, sizeof path, "%s/status", directory);
    if (!read_small(path, content, sizeof content)) return;
    const char *line = strstr(content, "\nvoluntary_ctxt_switches:");
    if (line) switches->voluntary += strtol(strchr(line, ':') + 1, NULL, 10);
    line = strstr(content, "\nnonvoluntary_ctxt_switches:");
    if (line) switches->involuntary += strtol(strchr(line, ':') + 1, NULL, 10);
}

struct switches process_switches(pid_t pid) {
    struct switches switches = {0};
    each_thread(pid, add_switches, &switches);
    return switches;
}

static double kilobytes(const char *status, const char *key) {
    const char *line = strstr(status, key);
    return line ? strtod(strchr(line, ':') + 1, NULL) * 1024 : NAN;
}

struct memory process_memory(pid_t pid) {
    char path[64], content[4096];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!read_small(path, content, sizeof content)) return (struct memory){NAN, NAN, NAN};
    return (struct memory){kilobytes(content, "\nVmRSS:"), kilobytes(content, "\nVmHWM:"),
                           kilobytes(content, "\nRssAnon:")};
}

void process_reset_peak(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", pid);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "5", 1) != 1) report_note("%s: the peak could not be reset", path);
    if (file >= 0) close(file);
}

double process_settle(pid_t pid, double quiet, double timeout) {
    double used = process_cpu(pid), last = now(), deadline = last + timeout;
    while (now() < deadline && now() - last < quiet) {
        pause_for(0.02);
        double current = process_cpu(pid);
        if (isnan(current)) return last;
        if (current - used > 0.0005) last = now();
        used = current;
    }
    return last;
}
