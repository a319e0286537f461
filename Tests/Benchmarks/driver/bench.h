// The benchmarks' driver: shared declarations. One benchmark a file; each prints its table through figure().
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// MARK: what to run

struct options {
    const char *changes;  // the tracker's executable
    const char *peers;    // the directory of the peers' executables
    const char *memory;   // a scratch directory on tmpfs
    const char *disk;     // a scratch directory on a disk
    const char *tree;     // where the large tree is, or shall be made
    const char *docroot;  // what `rsync` backs up, or NULL: one is made
    bool full;            // --scale full
    int repeats;          // runs of each subject, of which the median counts
};
extern struct options options;

void bench_draining(void);
void bench_start(void);  // with the memory of the same tracked tree
void bench_continuous(void);
void bench_linkdest(void);
void bench_idle(void);
void bench_latency(void);
void bench_query(void);
void bench_sync(void);
void bench_planning(void);
void bench_arrival(void);
void bench_firstcopy(void);

// MARK: what came out (report.c)

enum limit { NO_LIMIT, AT_MOST, AT_LEAST };

void report_title(const char *benchmark, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// One value of one subject. NAN is printed as "-" and breaks any limit it has.
void figure(const char *subject, const char *name, double value, const char *unit, enum limit kind, double limit);

// Something that keeps a benchmark from saying anything: told, and the run ends with 2.
void report_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Flushes the table of the current benchmark.
void report_table(void);

// Prints every figure of the run as a tab-separated line; returns the exit status.
int report_finish(void);

double median(const double *values, size_t count);  // NAN values are left out
double largest(const double *values, size_t count);

// MARK: processes (process.c, account.c)

struct process {
    const char *label;
    pid_t pid;
    char *errors;           // the file that has its standard error
    double spawned;         // monotonic seconds
    _Atomic double ready;   // when READY=1 arrived; 0 before
    atomic_bool overflow;   // a STATUS= told of an overflow
    atomic_int messages;    // datagrams received
    double stopping;        // seconds from SIGTERM to the end; 0 before
    char *socket_path;
    int socket;
    atomic_bool closing;
    pthread_t listener;
};

// Starts a program with its own NOTIFY_SOCKET, `output` as standard output (NULL: /dev/null), and dying with us.
// `watchdog` is WATCHDOG_USEC in microseconds, 0 for none.
struct process *process_start(const char *label, const char *const *arguments, const char *output, long watchdog);

// Waits for READY=1; false, with the reason told, when the program ends or the time is over.
bool process_wait_ready(struct process *process, double timeout);

// SIGTERM, and SIGKILL when that takes over a minute. True when it exited with 0 (or ended by that SIGTERM).
bool process_stop(struct process *process);
void process_free(struct process *process);

// True when the program's standard error or its status speaks of an overflow.
bool process_told_overflow(struct process *process);

// Waits until the program has used no processor time to speak of for `quiet` seconds; returns when it last did.
double process_settle(pid_t pid, double quiet, double timeout);

double process_cpu(pid_t pid);                     // seconds, all threads, dead ones too
double thread_cpu(pid_t pid, const char *name);    // seconds, of the threads with that name; NAN when there is none
struct memory { double resident, peak, anonymous; };  // bytes
struct memory process_memory(pid_t pid);
void process_reset_peak(pid_t pid);
struct switches { long voluntary, involuntary; };
struct switches process_switches(pid_t pid);  // of all threads

// Runs a program to its end; its exit status, or -1. `output` as for process_start.
int run_program(const char *const *arguments, const char *output);

// A program as a whole, from before fork(2) until it is reaped.
struct usage {
    bool succeeded;    // exited with 0; otherwise the reason is told
    double wall, cpu;  // seconds
    double memory;     // bytes: the most it ever had (ru_maxrss), or what we had at the fork when that is more
    size_t lines;
};
// `output` as for process_start; or, with `count`, a pipe whose lines are counted.
struct usage measure_program(const char *label, const char *const *arguments, const char *output, bool count);

// MARK: the tracker (tracker.c)

struct tracker {
    struct process *process;
    char *log, *state;
};

// `changes track` on `root` with log and state in `directory`, which is made. NULL, with the reason told, when it
// does not get ready.
struct tracker *tracker_start(const char *root, const char *directory, long watchdog, double timeout);
bool tracker_stop(struct tracker *tracker);  // and frees it; false when it did not exit with 0
double tracker_store_bytes(const char *state, double *write_ahead);

// MARK: the incumbents (incumbents.c)

// `inotifywait -m -r` on `root`, writing one path a line to `output`; ready when it says its watches are established.
struct process *inotifywait_start(const char *root, const char *output, double timeout);

// A watchman service of our own; the watch on a root is ready when a query with a sync cookie was answered.
struct watchman {
    struct process *process;
    char *directory, *socket, *clock;
};
struct watchman *watchman_start(const char *root, double timeout);
// Asks for the files that changed since the start; how many with `suffix`. True in `recrawled` after an overflow.
size_t watchman_since(struct watchman *watchman, const char *root, const char *suffix, bool *recrawled);
void watchman_stop(struct watchman *watchman);

// MARK: changelogs (lines.c)

struct lines {
    char *text;
    char **line;  // sorted
    size_t count;
};
struct lines lines_load(const char *path);
void lines_free(struct lines *lines);
size_t lines_distinct(const struct lines *lines, const char *prefix);  // under a prefix ending in '/'; "" is all
size_t lines_under(const struct lines *lines, const char *prefix);
bool lines_contain(const struct lines *lines, const char *line);

// A file that grows, followed as `tail -f` does it.
struct tail {
    int file, inotify;
    char *partial;
    size_t length, capacity;
    double last_line;  // when the newest line was seen
    size_t seen;
};
bool tail_open(struct tail *tail, const char *path);
void tail_close(struct tail *tail);
// Reads what is there, or waits for it until `deadline`. True when `line` was among it (NULL: any line).
bool tail_wait(struct tail *tail, const char *line, double deadline);

// MARK: load (writers.c, make_tree.c)

enum writing { DISTINCT_FILES, REWRITTEN_FILES };
#define WRITERS 4
#define WRITER_DIRECTORIES 16

// Makes the writers' directories, and the files to rewrite.
void writers_prepare(const char *root, enum writing kind, long set);
// Four processes, `count` files (or rewrites of a set of `set` files) each; `rate` in files/s over all, 0: flat out.
// Returns the seconds from their common start to the end of the last.
double writers_run(const char *root, enum writing kind, long count, long set, double rate);

// Directories and files with names and sizes as they are in backups. The same seed makes the same tree.
void make_tree(const char *root, long directories, long files, uint64_t seed, bool with_content);

// MARK: copies elsewhere (sshd.c, offsite.c, lsyncd.c)

// An sshd of our own on loopback.
struct receiver {
    struct process *process;
    char *directory, *target;  // `target` belongs to whoever logs in
    char *user, *ssh;          // the client's command, without the host
    int port;
};
struct receiver *receiver_start(const char *directory);  // NULL, with the reason told, when there can be none
void receiver_stop(struct receiver *receiver);           // and removes what it received

// A tracked tree of `files` small files with a complete copy at a destination; with `offsite_prepare` none is made yet.
struct offsite {
    struct tracker *tracker;
    char *directory, *base, *root, *copy, *configuration;
    long files;
};
// Without a receiver the copy is local. NULL, with the reason told, when it does not come to be.
struct offsite *offsite_prepare(const char *directory, long files, const struct receiver *receiver);
struct offsite *offsite_start(const char *directory, long files, const struct receiver *receiver);
void offsite_stop(struct offsite *offsite);
bool offsite_sync(const struct offsite *offsite, const char *what);  // `changes sync WHAT`
struct process *watch_start(const struct offsite *offsite);          // `changes sync --watch`, ready; NULL when not
char *offsite_name(long number);                                     // of a file, relative to the root
char *offsite_path(const struct offsite *offsite, long number);
void offsite_change(const struct offsite *offsite, long number);  // makes a file a byte longer
// Changes a file; the seconds from its last write until the copy is as long. NAN when that takes too long.
double offsite_arrival(const struct offsite *offsite, long number, double timeout);

// lsyncd on the same tree and copy, once it has carried a change of the file `probe`; NULL when it does not.
struct process *lsyncd_start(const struct offsite *offsite, const struct receiver *receiver, long probe);

// MARK: small things (support.c)

double now(void);  // CLOCK_MONOTONIC, seconds
void pause_for(double seconds);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void make_directory(const char *path);  // one that exists is fine
void remove_tree(const char *path);
void write_text(const char *path, const char *content);
double read_file_bytes(const char *path);  // its size, 0 when missing
const char *file_system_of(const char *path);  // "ext4", "tmpfs", …
uint64_t next_random(uint64_t *state);
