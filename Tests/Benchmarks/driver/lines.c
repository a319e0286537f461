// Changelogs: reading one whole, and following one as it grows.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int by_bytes(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

struct lines lines_load(const char *path) {
    struct lines lines = {0};
    size_t size = (size_t)read_file_bytes(path), length = 0;
    lines.text = malloc(size + 1);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; file >= 0 && length < size && (got = read(file, lines.text + length, size - length)) > 0;)
        length += (size_t)got;
    if (file >= 0) close(file);
    lines.text[length] = 0;
    size_t capacity = 0;
    for (char *at = lines.text, *end; (end = memchr(at, '\n', (size_t)(lines.text + length - at))); at = end + 1) {
        if (lines.count == capacity) {
            capacity = capacity ? capacity * 2 : 1024;
            lines.line = realloc(lines.line, capacity * sizeof *lines.line);
            if (!lines.line) abort();
        }
        *end = 0;
        lines.line[lines.count++] = at;
    }
    if (lines.count) qsort(lines.line, lines.count, sizeof *lines.line, by_bytes);
    return lines;
}

void lines_free(struct lines *lines) {
    free(lines->text);
    free(lines->line);
    *lines = (struct lines){0};
}

size_t lines_under(const struct lines *lines, const char *prefix) {
    size_t found = 0, length = strlen(prefix);
    for (size_t index = 0; index < lines->count; index++) found += strncmp(lines->line[index], prefix, length) == 0;
    return found;
}

size_t lines_distinct(const struct lines *lines, const char *prefix) {
    size_t found = 0, length = strlen(prefix);
    for (size_t index = 0; index < lines->count; index++) {
        if (strncmp(lines->line[index], prefix, length) != 0) continue;
        found += index == 0 || strcmp(lines->line[index], lines->line[index - 1]) != 0;
    }
    return found;
}

bool lines_contain(const struct lines *lines, const char *line) {
    return lines->count && bsearch(&line, lines->line, lines->count, sizeof *lines->line, by_bytes);
}

bool tail_open(struct tail *tail, const char *path) {
    *tail = (struct tail){.file = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644),
                          .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    if (tail->file < 0 || tail->inotify < 0 || inotify_add_watch(tail->inotify, path, IN_MODIFY) < 0) {
        report_failure("%s: %s", path, strerror(errno));
        tail_close(tail);
        return false;
    }
    lseek(tail->file, 0, SEEK_END);
    return true;
}

void tail_close(struct tail *tail) {
    if (tail->file >= 0) close(tail->file);
    if (tail->inotify >= 0) close(tail->inotify);
    free(tail->partial);
}

// Reads to the end of the file; true when the wanted line (NULL: any) was completed.
static bool take_lines(struct tail *tail, const char *line) {
    bool found = false;
    for (;;) {
        if (tail->capacity - tail->length < 65536) {
            tail->capacity = tail->length + (1 << 20);
            tail->partial = realloc(tail->partial, tail->capacity);
            if (!tail->partial) abort();
        }
        ssize_t got = read(tail->file, tail->partial + tail->length, tail->capacity - tail->length);
        if (got <= 0) return found;
        double seen = now();
        tail->length += (size_t)got;
        char *at = tail->partial, *end;
        while ((end = memchr(at, '\n', tail->length - (size_t)(at - tail->partial)))) {
            *end = 0;
            tail->seen++;
            tail->last_line = seen;
            found = found || !line || strcmp(at, line) == 0;
            at = end + 1;
        }
        tail->length -= (size_t)(at - tail->partial);
        memmove(tail->partial, at, tail->length);
    }
}

bool tail_wait(struct tail *tail, const char *line, double deadline) {
    for (;;) {
        if (take_lines(tail, line)) return true;
        double left = deadline - now();
        if (left <= 0) return false;
        struct pollfd ready = {.fd = tail->inotify, .events = POLLIN};
        poll(&ready, 1, (int)(left * 1000) + 1);
        char events[4096];
        while (read(tail->inotify, events, sizeof events) > 0) {}
    }
}
