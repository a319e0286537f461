// Makes what the benchmark `query` asks: a store with a long history, the same history as a text log, and its files.
//
//   make_history tree BASE FILES                     the roots with their files, into BASE, which exists
//   make_history store BASE FILES ROWS STATE LOG     STATE/store.db and LOG, ending now; touches the last hour's files
//
// A program of its own: what it takes in memory must not be the driver's, whose children's peaks begin at its own.
#include "history.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fail(const char *what) {
    fprintf(stderr, "make_history: %s: %s\n", what, strerror(errno));
    exit(2);
}

uint64_t scramble(uint64_t value) {
    value += 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
}

struct forms {
    struct store *store;
    struct text_log *log;
};

static void take_row(void *context, const struct row *row) {
    struct forms *forms = context;
    store_row(forms->store, row);
    text_log_row(forms->log, row);
}

static void take_commit(void *context) { store_commit(((struct forms *)context)->store); }

static void make_store(const struct corpus *corpus, long rows, const char *state, const char *log) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = time.tv_sec * SECOND + time.tv_nsec;
    struct forms forms = {store_open(corpus, state), text_log_open(corpus, log)};
    rows_make(corpus, rows, now, &(struct sink){take_row, take_commit, &forms});
    store_close(forms.store);
    text_log_close(forms.log);
    tree_touch_recent(corpus, now);
}

int main(int count, char **arguments) {
    struct corpus corpus = {.base = count > 2 ? arguments[2] : "", .files = count > 3 ? atol(arguments[3]) : 0};
    // Fewer files could not hold the last hour's.
    bool fits = corpus.base[0] == '/' && corpus.files >= 80000 && corpus.files % (ROOTS * FILES_A_DIRECTORY) == 0;
    if (fits && count == 4 && strcmp(arguments[1], "tree") == 0) {
        tree_make(&corpus);
        return 0;
    }
    if (fits && count == 7 && strcmp(arguments[1], "store") == 0 && atol(arguments[4]) >= corpus.files) {
        make_store(&corpus, atol(arguments[4]), arguments[5], arguments[6]);
        return 0;
    }
    fprintf(stderr, "usage: make_history tree BASE FILES | store BASE FILES ROWS STATE LOG\n");
    return 2;
}
