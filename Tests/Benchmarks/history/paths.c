// Which paths there are: roots of equal size, each two directories deep, ten files in each of the lower ones. A path is
// made from its number, so nothing has to be kept; below `base` they are 40 to 70 bytes long.
#include "history.h"
#include <stdio.h>

static const char *const roots[ROOTS] = {
    "roundcube-backup", "nextcloud-backup", "gitlab-backup", "mail-backup",
    "wiki-backup",      "webshop-backup",   "crm-backup",    "media-backup",
};
static const char *const words[16] = {
    "mail",   "index",  "cache",  "config", "module",  "plugin", "report", "photo",
    "export", "thread", "upload", "vendor", "session", "locale", "schema", "driver",
};
static const char *const endings[8] = {".php", ".js", ".css", ".eml", ".jpg", ".pdf", ".json", ""};

long corpus_directories(const struct corpus *corpus) { return corpus->files / FILES_A_DIRECTORY; }
long corpus_files_a_root(const struct corpus *corpus) { return corpus->files / ROOTS; }
static long directories_a_root(const struct corpus *corpus) { return corpus_directories(corpus) / ROOTS; }

long corpus_tops_a_root(const struct corpus *corpus) {
    return (directories_a_root(corpus) + DIRECTORIES_A_TOP - 1) / DIRECTORIES_A_TOP;
}

int root_of(const struct corpus *corpus, long directory) { return (int)(directory / directories_a_root(corpus)); }

long top_of(const struct corpus *corpus, long directory) {
    return directory % directories_a_root(corpus) / DIRECTORIES_A_TOP;
}

size_t root_path(const struct corpus *corpus, int root, char *path) {
    return (size_t)snprintf(path, LONGEST_PATH, "%s/%s", corpus->base, roots[root]);
}

size_t top_name(int root, long top, char *name) {
    uint64_t random = scramble((uint64_t)root << 32 | (uint64_t)top);
    return (size_t)snprintf(name, 64, "%s-%s%02lx", words[random & 15], words[random >> 4 & 15], (unsigned long)top);
}

size_t directory_name(const struct corpus *corpus, long directory, char *name) {
    uint64_t random = scramble(1ull << 40 | (uint64_t)directory);
    unsigned long number = (unsigned long)(directory % directories_a_root(corpus) % DIRECTORIES_A_TOP);
    return (size_t)snprintf(name, 64, "%s%02lx", words[random & 15], number);
}

size_t directory_path(const struct corpus *corpus, long directory, char *path) {
    int root = root_of(corpus, directory);
    size_t length = root_path(corpus, root, path);
    path[length++] = '/';
    length += top_name(root, top_of(corpus, directory), path + length);
    path[length++] = '/';
    return length + directory_name(corpus, directory, path + length);
}

size_t file_name(long file, char *name) {
    uint64_t random = scramble(2ull << 40 | (uint64_t)file);
    const char *first = words[random & 15], *second = words[random >> 4 & 15], *ending = endings[random >> 8 & 7];
    unsigned number = (unsigned)(file % FILES_A_DIRECTORY);
    if (random >> 12 & 1) return (size_t)snprintf(name, 64, "%s-%s%05x%s", first, second, number, ending);
    return (size_t)snprintf(name, 64, "%s%05x%s", first, number, ending);
}

// Most are below 4 KiB, some reach 4 MiB; the first version is the one in the tree.
int64_t file_size(long file, uint64_t version) {
    uint64_t random = scramble((uint64_t)file + version * 0x9e3779b97f4a7c15ull);
    return (int64_t)((random >> 8 & 0xfff) << (random % 64 < 40 ? 0 : random % 11));
}
