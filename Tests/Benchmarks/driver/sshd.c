// A receiver as a NAS is one: a real sshd on loopback, with keys of its own, and an account without rights.
#define _GNU_SOURCE
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACCOUNT "nfs-changes-test"  // that of the tests

// Where we are root an account of its own, made when there is none, and kept; elsewhere whoever runs this.
static struct passwd *find_account(void) {
    if (geteuid() != 0) return getpwuid(geteuid());
    struct passwd *account = getpwnam(ACCOUNT);
    if (account) return account;
    // sshd refuses accounts that are locked, which `*` does not do.
    run_program((const char *[]){"useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh",
                                 "--no-user-group", "--gid", "nogroup", "--password", "*", ACCOUNT, NULL},
                NULL);
    return getpwnam(ACCOUNT);
}

static int free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0 || bind(probe, (struct sockaddr *)&address, length) < 0
        || getsockname(probe, (struct sockaddr *)&address, &length) < 0)
        die("a free port: %s", strerror(errno));
    close(probe);
    return ntohs(address.sin_port);
}

static bool answers(int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof address) == 0;
    if (probe >= 0) close(probe);
    return connected;
}

static bool make_keys(const char *directory, int port) {
    return run_program(
               (const char *[]){"sh", "-ec",
                                "for key in client host; do\n"
                                "  ssh-keygen -q -t ed25519 -N '' -C changes-bench -f \"$1/${key}_key\"\n"
                                "done\n"
                                "cp \"$1/client_key.pub\" \"$1/authorized_keys\"\n"
                                "echo \"[127.0.0.1]:$2 $(cat \"$1/host_key.pub\")\" >\"$1/known_hosts\"\n",
                                "sh", directory, text("%d", port), NULL},
               NULL)
        == 0;
}

struct receiver *receiver_start(const char *directory) {
    struct passwd *account = find_account();
    if (!account || access("/usr/sbin/sshd", X_OK) != 0) {
        report_failure("no receiver: apt install openssh-server; run it as root");
        return NULL;
    }
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (!receiver) abort();
    receiver->directory = strdup(directory);
    receiver->port = free_port();
    receiver->user = strdup(account->pw_name);
    receiver->target = text("%s/target", directory);
    make_directory(directory), make_directory(receiver->target);
    // Whoever logs in has to get there; mktemp(1) made the scratch directory ours alone.
    if (chmod(options.disk, 0711) < 0 || chown(receiver->target, account->pw_uid, account->pw_gid) < 0)
        die("%s: %s", receiver->target, strerror(errno));
    if (!make_keys(directory, receiver->port)) die("ssh-keygen failed");
    receiver->ssh = text("ssh -F none -p %d -i %s/client_key -o UserKnownHostsFile=%s/known_hosts"
                         " -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o BatchMode=yes"
                         " -o IdentitiesOnly=yes",
                         receiver->port, directory, directory);
    char *configuration = text("%s/sshd_config", directory);
    write_text(configuration, text("HostKey %s/host_key\nAuthorizedKeysFile %s/authorized_keys\nPidFile none\n"
                                   "AllowUsers %s\nAuthenticationMethods publickey\nUsePAM no\nStrictModes no\n"
                                   "PermitUserRC no\nPrintMotd no\nUseDNS no\nMaxStartups 100\n",
                                   directory, directory, receiver->user));
    if (geteuid() == 0) run_program((const char *[]){"mkdir", "-p", "-m", "755", "/run/sshd", NULL}, NULL);
    receiver->process = process_start(
        "sshd",
        (const char *[]){"/usr/sbin/sshd", "-f", configuration, "-D", "-e", "-o",
                         text("ListenAddress=127.0.0.1:%d", receiver->port), NULL},
        NULL, 0);
    for (double deadline = now() + 10; now() < deadline; pause_for(0.01)) {
        if (answers(receiver->port)) return receiver;
        if (waitpid(receiver->process->pid, NULL, WNOHANG) == receiver->process->pid) {
            receiver->process->pid = -1;
            break;
        }
    }
    report_failure("sshd does not answer");
    receiver_stop(receiver);
    return NULL;
}

void receiver_stop(struct receiver *receiver) {
    process_free(receiver->process);
    remove_tree(receiver->directory);
    free(receiver->directory), free(receiver->user), free(receiver->target), free(receiver->ssh);
    free(receiver);
}
