// The same rows as lines of text with their times, as somebody would keep them who means to search them with grep.
#include "history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct text_log {
    const struct corpus *corpus;
    FILE *file;
    time_t second;  // whose text this is
    char time[32];
    long directory;  // whose path this is
    size_t length;
    char path[LONGEST_PATH];
};

struct text_log *text_log_open(const struct corpus *corpus, const char *path) {
    struct text_log *log = calloc(1, sizeof *log);
    if (!log) fail("log");
    log->corpus = corpus;
    log->directory = -1;
    log->file = fopen(path, "w");
    if (!log->file || setvbuf(log->file, NULL, _IOFBF, 1 << 20) != 0) fail(path);
    return log;
}

void text_log_row(struct text_log *log, const struct row *row) {
    time_t second = (time_t)(row->at / SECOND);
    if (second != log->second) {
        struct tm parts;
        strftime(log->time, sizeof log->time, "%Y-%m-%dT%H:%M:%S", gmtime_r(&second, &parts));
        log->second = second;
    }
    long directory = row->file / FILES_A_DIRECTORY;
    if (directory != log->directory) {
        log->length = directory_path(log->corpus, directory, log->path);
        log->directory = directory;
    }
    char name[64], fraction[16];
    size_t length = file_name(row->file, name);
    snprintf(fraction, sizeof fraction, ".%03dZ ", (int)(row->at % SECOND / 1000000));
    const char *kind = kind_words[row->kind];
    fwrite_unlocked(log->time, 1, strlen(log->time), log->file);
    fwrite_unlocked(fraction, 1, strlen(fraction), log->file);
    fwrite_unlocked(kind, 1, strlen(kind), log->file);
    putc_unlocked(' ', log->file);
    fwrite_unlocked(log->path, 1, log->length, log->file);
    putc_unlocked('/', log->file);
    fwrite_unlocked(name, 1, length, log->file);
    putc_unlocked('\n', log->file);
}

void text_log_close(struct text_log *log) {
    if (fclose(log->file) != 0) fail("log");
    free(log);
}
