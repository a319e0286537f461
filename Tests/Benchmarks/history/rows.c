// What happened: for 90 days a nightly backup of each root, which goes on where the last one ended, and in between a
// few changes here and there, a tenth of all. Days are counted back from the end, so that no night is in the last hour.
//
// Before the last 20 minutes nothing happens for two and a half hours: what `--since 1h` finds, and who searches a log
// for the names of the hours, stays the same while the benchmark runs.
#include "history.h"

#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NIGHT (6 * HOUR)           // into the day
#define NIGHT_OF_A_ROOT (HOUR / 3)
#define SILENCE (5 * HOUR / 2)
#define ROW_DISTANCE 100000        // ns between the rows of a commit

const char *const kind_words[] = {"", "created", "replaced", "modified", "metadata", "moved", "deleted"};

struct maker {
    const struct corpus *corpus;
    const struct sink *sink;
    uint64_t random;
    long cursor[ROOTS];  // where in each root the next night begins
};

static uint64_t next(struct maker *maker) { return scramble(maker->random++); }

static void row(struct maker *maker, int64_t at, enum kind kind, long file) {
    long first = file - file % FILES_A_DIRECTORY, other = (file + 1) % FILES_A_DIRECTORY;
    struct row row = {.at = at, .kind = kind, .file = file, .from = kind == MOVED ? first + other : -1,
                      .size = file_size(file, next(maker) & 7)};
    maker->sink->row(maker->sink->context, &row);
}

static enum kind some_kind(struct maker *maker) {
    unsigned percent = (unsigned)(next(maker) % 100);
    return percent < 70 ? MODIFIED : percent < 82 ? CREATED : percent < 90 ? REPLACED : percent < 96 ? METADATA
           : percent < 98 ? MOVED : DELETED;
}

// One root's files in their order, in commits of 1 to 200.
static void night(struct maker *maker, int root, long count, int64_t start) {
    long files = corpus_files_a_root(maker->corpus), first = root * files;
    for (long done = 0; done < count;) {
        long size = 1 + (long)(next(maker) % 200);
        if (size > count - done) size = count - done;
        int64_t at = start + NIGHT_OF_A_ROOT / count * done;
        for (long index = 0; index < size; index++, maker->cursor[root]++)
            row(maker, at + index * ROW_DISTANCE, some_kind(maker), first + maker->cursor[root] % files);
        maker->sink->commit(maker->sink->context);
        done += size;
    }
}

// A few files of some directory, in commits of 1 to 5.
static void trickle(struct maker *maker, long count, int64_t start, int64_t span) {
    for (long done = 0; done < count;) {
        long size = 1 + (long)(next(maker) % 5);
        if (size > count - done) size = count - done;
        long directory = (long)(next(maker) % (uint64_t)corpus_directories(maker->corpus));
        int64_t at = start + span / count * done;
        for (long index = 0; index < size; index++)
            row(maker, at + index * ROW_DISTANCE, some_kind(maker), directory * FILES_A_DIRECTORY + index);
        maker->sink->commit(maker->sink->context);
        done += size;
    }
}

static void day(struct maker *maker, long count, int64_t start, int64_t length) {
    long few = count / 10, morning = few / 4, many = count - few;
    trickle(maker, morning, start, NIGHT);
    for (int root = 0; root < ROOTS; root++)
        night(maker, root, many * (root + 1) / ROOTS - many * root / ROOTS, start + NIGHT + root * NIGHT_OF_A_ROOT);
    int64_t after = NIGHT + ROOTS * NIGHT_OF_A_ROOT;
    trickle(maker, few - morning, start + after, length - after);
}

long recent_file(const struct corpus *corpus, long number) {
    // Not the next file each time: they are to come from some hundred directories, and from all other roots.
    long files = corpus_files_a_root(corpus), other = number - RECENT_HITS;
    return other < 0 ? number * 7 : files + other * ((ROOTS - 1) * files / RECENT_OTHERS);
}

static void last_hour(struct maker *maker, int64_t start) {
    static const enum kind kinds[] = {MODIFIED, MODIFIED, CREATED, METADATA};  // they exist: `find` shall find them
    long done[2] = {0, 0}, wanted[2] = {RECENT_HITS, RECENT_OTHERS}, total = RECENT_HITS + RECENT_OTHERS;
    while (done[0] + done[1] < total) {
        // Both advance alike, commit by commit in turn.
        int which = done[0] * wanted[1] > done[1] * wanted[0] ? 1 : 0;
        long size = 1 + (long)(next(maker) % 20);
        if (size > wanted[which] - done[which]) size = wanted[which] - done[which];
        int64_t at = start + RECENT_SPAN / (total + 1) * (done[0] + done[1]);
        for (long index = 0; index < size; index++, done[which]++) {
            long file = recent_file(maker->corpus, (which ? RECENT_HITS : 0) + done[which]);
            row(maker, at + index * ROW_DISTANCE, kinds[next(maker) & 3], file);
        }
        if (size) maker->sink->commit(maker->sink->context);
    }
}

void rows_make(const struct corpus *corpus, long count, int64_t end, const struct sink *sink) {
    struct maker maker = {.corpus = corpus, .sink = sink, .random = 20260301};
    long before = count - RECENT_HITS - RECENT_OTHERS;
    for (int number = 0; number < DAYS; number++) {
        long rows = before * (number + 1) / DAYS - before * number / DAYS;
        day(&maker, rows, end - (DAYS - number) * DAY, number < DAYS - 1 ? DAY : DAY - SILENCE - RECENT_SPAN);
    }
    last_hour(&maker, end - RECENT_SPAN);
}
