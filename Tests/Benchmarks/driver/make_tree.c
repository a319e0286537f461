// A tree such as backups hold: directories of very different sizes, 4 to 8 levels deep, names of 9 to 25 bytes,
// sizes from nothing to megabytes. Files are sparse (truncate(2)) unless their content matters.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const words[] = {
    "mail",   "index",  "cache",  "config", "module", "plugin", "report", "backup", "invoice", "photo", "export",
    "message", "thread", "upload", "avatar", "session", "vendor", "static", "locale", "widget", "schema", "driver",
    "client", "server", "helper", "policy", "record", "sample", "script", "source", "target", "update",
};
static const char *const endings[] = {".php", ".js", ".css", ".eml", ".jpg", ".pdf", ".json", ".txt", ".html", ""};

// 9 to 25 bytes: a word, perhaps another, a number that keeps it unique among its siblings, perhaps an ending.
static void make_name(char *name, long number, bool directory, uint64_t *seed) {
    uint64_t random = next_random(seed);
    const char *first = words[random % COUNT(words)], *second = words[random >> 8 & 31];
    const char *ending = directory ? "" : endings[(random >> 16) % COUNT(endings)];
    if (random >> 24 & 1)
        snprintf(name, 32, "%s-%s%05lx%s", first, second, (unsigned long)number & 0xfffff, ending);
    else
        snprintf(name, 32, "%s%05lx%s", first, (unsigned long)number & 0xfffff, ending);
}

// Half are below 4 KiB, some reach 4 MiB, as in a docroot or a mail store.
static long make_size(uint64_t *seed) {
    uint64_t random = next_random(seed);
    return (long)((random >> 8 & 0xfff) << (random % 64 < 40 ? 0 : random % 11));
}

static void make_file(int parent, const char *name, bool with_content, uint64_t *seed) {
    int file = openat(parent, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) die("%s: %s", name, strerror(errno));
    long size = make_size(seed);
    if (!with_content) {
        if (ftruncate(file, size) < 0) die("%s: %s", name, strerror(errno));
    } else {
        uint64_t block[512];
        for (long left = size & 0x1ffff; left > 0; left -= (long)sizeof block) {
            for (size_t index = 0; index < COUNT(block); index++) block[index] = next_random(seed);
            size_t part = left < (long)sizeof block ? (size_t)left : sizeof block;
            if (write(file, block, part) != (ssize_t)part) die("%s: %s", name, strerror(errno));
        }
    }
    close(file);
}

// The files of a directory: an exponential distribution (most have a few, some hundreds) that adds up to `files`.
static long share(long files_left, long directories_left, uint64_t *seed) {
    if (directories_left <= 1) return files_left;
    double uniform = (double)(next_random(seed) >> 11 | 1) / 9007199254740992.0;
    long wanted = lround(-log(uniform) * (double)files_left / (double)directories_left);
    return wanted > files_left ? files_left : wanted;
}

void make_tree(const char *root, long directories, long files, uint64_t seed, bool with_content) {
    make_directory(root);
    // A directory's parent is a random one among those before it, so the depth grows with the logarithm of their
    // number; the paths are kept for that, relative to the root.
    char **paths = calloc((size_t)directories, sizeof *paths);
    int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!paths || top < 0) die("%s: %s", root, strerror(errno));
    paths[0] = text(".");
    long left = files;
    for (long number = 0; number < directories; number++) {
        char name[32];
        if (number > 0) {
            // The square favours older directories: most lie 4 to 8 levels deep, and a few have hundreds of children.
            double uniform = (double)(next_random(&seed) >> 11) / 9007199254740992.0;
            const char *parent = paths[(long)((double)number * uniform * uniform)];
            make_name(name, number, true, &seed);
            paths[number] = text("%s/%s", parent, name);
            if (mkdirat(top, paths[number], 0755) < 0) die("%s/%s: %s", root, paths[number], strerror(errno));
        }
        int directory = openat(top, paths[number], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) die("%s/%s: %s", root, paths[number], strerror(errno));
        long here = share(left, directories - number, &seed);
        left -= here;
        for (long file = 0; file < here; file++) {
            make_name(name, file + 1, false, &seed);
            make_file(directory, name, with_content, &seed);
        }
        close(directory);
    }
    for (long number = 0; number < directories; number++) free(paths[number]);
    free(paths);
    close(top);
}
