// Starting, hearing and ending the programs that are measured.
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// Receives sd_notify(3) datagrams for as long as the program runs: one whose socket fills up would block.
static void *listen_to(void *argument) {
    struct process *process = argument;
    char message[8192];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control;
    for (;;) {
        struct iovec part = {message, sizeof message - 1};
        struct msghdr header = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(process->socket, &header, MSG_CMSG_CLOEXEC);
        double arrived = now();
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0 || atomic_load(&process->closing)) return NULL;
        // sd_notify_barrier(3) hands over a descriptor and waits until it is closed.
        for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
            int *descriptors = (int *)CMSG_DATA(part);
            for (size_t index = 0; index < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); index++)
                close(descriptors[index]);
        }
        message[length] = 0;
        atomic_fetch_add(&process->messages, 1);
        char *rest = message;
        for (char *line; (line = strsep(&rest, "\n"));) {
            if (strcmp(line, "READY=1") == 0 && atomic_load(&process->ready) == 0)
                atomic_store(&process->ready, arrived);
            if (strncmp(line, "STATUS=", 7) == 0 && strcasestr(line, "overflow"))
                atomic_store(&process->overflow, true);
        }
    }
}

static pid_t spawn(const char *const *arguments, const char *output, const char *errors, const char *notify,
                   long watchdog) {
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) die("fork: %s", strerror(errno));
    if (pid > 0) return pid;
    // Ignored signals survive exec: ours, and SIGINT and SIGQUIT of a shell's background command.
    for (const int *number = (const int[]){SIGPIPE, SIGINT, SIGQUIT, 0}; *number; number++) signal(*number, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    int in = open("/dev/null", O_RDONLY), out = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    int err = errors ? open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0644) : open("/dev/null", O_WRONLY);
    if (in < 0 || out < 0 || err < 0) _exit(127);
    dup2(in, 0), dup2(out, 1), dup2(err, 2);
    close_range(3, ~0u, 0);
    for (const char *const *name = (const char *const[]){"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                                        "JOURNAL_STREAM", "STATE_DIRECTORY", NULL};
         *name; name++)
        unsetenv(*name);
    setenv("LC_ALL", "C", 1);
    if (notify) setenv("NOTIFY_SOCKET", notify, 1);
    if (watchdog) {
        char number[32];
        snprintf(number, sizeof number, "%ld", watchdog);
        setenv("WATCHDOG_USEC", number, 1);
        snprintf(number, sizeof number, "%d", getpid());
        setenv("WATCHDOG_PID", number, 1);
    }
    execvp(arguments[0], (char *const *)arguments);
    dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

struct process *process_start(const char *label, const char *const *arguments, const char *output, long watchdog) {
    static int number;
    struct process *process = calloc(1, sizeof *process);
    if (!process) abort();
    process->label = label;
    process->errors = text("%s/%s-%d.err", options.memory, label, ++number);
    process->socket_path = text("%s/notify-%d", options.memory, number);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(process->socket_path) >= sizeof address.sun_path) die("%s: too long a path", process->socket_path);
    strcpy(address.sun_path, process->socket_path);
    process->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (process->socket < 0 || bind(process->socket, (struct sockaddr *)&address, sizeof address) < 0)
        die("%s: %s", process->socket_path, strerror(errno));
    if (pthread_create(&process->listener, NULL, listen_to, process) != 0) die("pthread_create");
    process->spawned = now();
    process->pid = spawn(arguments, output, process->errors, process->socket_path, watchdog);
    return process;
}

static void tell_errors(const char *label, const char *errors) {
    FILE *file = fopen(errors, "r");
    if (!file) return;
    // The last ones: what it ended with.
    char last[10][512];
    int lines = 0;
    while (fgets(last[lines % 10], sizeof last[0], file)) lines++;
    for (int line = lines < 10 ? 0 : lines - 10; line < lines; line++) {
        last[line % 10][strcspn(last[line % 10], "\n")] = 0;
        report_note("  %s: %s", label, last[line % 10]);
    }
    fclose(file);
}

bool process_wait_ready(struct process *process, double timeout) {
    for (double deadline = now() + timeout; now() < deadline; pause_for(0.002)) {
        if (atomic_load(&process->ready) > 0) return true;
        int status;
        if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid) {
            process->pid = -1;
            report_failure("%s ended with %s %d before it was ready", process->label,
                           WIFSIGNALED(status) ? "signal" : "status",
                           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            tell_errors(process->label, process->errors);
            return false;
        }
    }
    report_failure("%s was not ready within %.0f s", process->label, timeout);
    tell_errors(process->label, process->errors);
    return false;
}

bool process_stop(struct process *process) {
    if (process->pid <= 0) return false;
    int status = 0;
    double began = now(), deadline = began + 60;
    kill(process->pid, SIGTERM);
    for (;; pause_for(0.002)) {
        if (waitpid(process->pid, &status, WNOHANG) == process->pid) break;
        if (now() < deadline) continue;
        report_failure("%s did not end within a minute of SIGTERM", process->label);
        kill(process->pid, SIGKILL);
        waitpid(process->pid, &status, 0);
        break;
    }
    process->pid = -1;
    process->stopping = now() - began;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

void process_free(struct process *process) {
    if (process->pid > 0) process_stop(process);
    atomic_store(&process->closing, true);
    shutdown(process->socket, SHUT_RDWR);
    pthread_join(process->listener, NULL);
    close(process->socket);
    unlink(process->socket_path);
    unlink(process->errors);
    free(process->socket_path);
    free(process->errors);
    free(process);
}

bool process_told_overflow(struct process *process) {
    if (atomic_load(&process->overflow)) return true;
    bool found = false;
    FILE *file = fopen(process->errors, "r");
    char *line = NULL;
    size_t capacity = 0;
    while (file && !found && getline(&line, &capacity, file) > 0)
        found = strcasestr(line, "overflow") || strcasestr(line, "recrawl");
    free(line);
    if (file) fclose(file);
    return found;
}

int run_program(const char *const *arguments, const char *output) {
    int status;
    pid_t pid = spawn(arguments, output, NULL, NULL, 0);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t count_lines(int pipe) {
    static char buffer[1 << 18];
    size_t lines = 0;
    for (ssize_t length; (length = read(pipe, buffer, sizeof buffer)) > 0 || (length < 0 && errno == EINTR);)
        for (char *at = buffer, *end = buffer + (length > 0 ? length : 0);
             (at = memchr(at, '\n', (size_t)(end - at))); at++)
            lines++;
    return lines;
}

struct usage measure_program(const char *label, const char *const *arguments, const char *output, bool count) {
    char *errors = text("%s/run.err", options.memory), *into = output ? text("%s", output) : NULL;
    int ends[2] = {-1, -1};
    if (count) {
        if (pipe2(ends, O_CLOEXEC) < 0) die("pipe: %s", strerror(errno));
        fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
        free(into);
        into = text("/proc/self/fd/%d", ends[1]);
    }
    struct usage usage = {0};
    struct rusage kernel;
    int status = -1;
    double began = now();
    pid_t pid = spawn(arguments, into, errors, NULL, 0);
    if (count) {
        close(ends[1]);
        usage.lines = count_lines(ends[0]);
        close(ends[0]);
    }
    while (wait4(pid, &status, 0, &kernel) < 0)
        if (errno != EINTR) die("wait4: %s", strerror(errno));
    usage.wall = now() - began;
    usage.cpu = (double)(kernel.ru_utime.tv_sec + kernel.ru_stime.tv_sec)
              + (double)(kernel.ru_utime.tv_usec + kernel.ru_stime.tv_usec) / 1e6;
    usage.memory = (double)kernel.ru_maxrss * 1024;
    usage.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!usage.succeeded) {
        report_failure("%s ended with %s %d", label, WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        tell_errors(label, errors);
    }
    unlink(errors);
    free(errors);
    free(into);
    return usage;
}
