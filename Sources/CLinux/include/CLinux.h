// What the Glibc module does not give Swift: headers it leaves out, system calls without a wrapper,
// and constants whose macros are not imported.
#ifndef NFS_CHANGES_CLINUX_H
#define NFS_CHANGES_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/// openat2(2), which glibc does not wrap.
static inline int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = 0, .resolve = resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

/// statx(2) under a name of its own: in Swift the struct of the same name hides the function.
static inline int clinux_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *status) {
  return statx(dirfd, path, flags, mask, status);
}

/// statvfs(3), for the same reason.
static inline int clinux_statvfs(const char *path, struct statvfs *status) { return statvfs(path, status); }

/// getdents64(2): the raw call, so that one buffer serves a whole walk.
static inline ssize_t clinux_getdents64(int fd, void *buffer, size_t size) {
  return syscall(SYS_getdents64, fd, buffer, size);
}

/// A variadic ioctl with a pointer argument: Swift does not import variadic functions.
static inline int clinux_ioctl(int fd, unsigned long request, void *argument) {
  return ioctl(fd, request, argument);
}

/// The start of struct xfs_fsop_geom (include/uapi: xfs_fs.h), as far as the UUID; the rest is padding.
struct clinux_xfs_geometry {
  uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
  uint64_t datablocks, rtblocks, rtextents, logstart;
  unsigned char uuid[16];
  uint32_t sunit, swidth;
  int32_t version;
  uint32_t flags, logsectsize, rtsectsize, dirblocksize, logsunit;
};
/// XFS_IOC_FSGEOMETRY_V4 (xfs_fs.h): answered by every kernel since 2.6.
static const unsigned long clinux_xfs_fsgeometry = _IOR('X', 124, struct clinux_xfs_geometry);

/// linux/magic.h and the file systems' own headers, which a libc header set need not carry.
enum clinux_magic {
  CLINUX_TMPFS_MAGIC = 0x01021994,
  CLINUX_RAMFS_MAGIC = 0x858458F6,
  CLINUX_NFS_SUPER_MAGIC = 0x6969,
  CLINUX_FUSE_SUPER_MAGIC = 0x65735546,
  CLINUX_AUTOFS_SUPER_MAGIC = 0x0187,
  CLINUX_XFS_SUPER_MAGIC = 0x58465342,
  CLINUX_SMB2_SUPER_MAGIC = 0xFE534D42,
  CLINUX_CIFS_SUPER_MAGIC = 0xFF534D42,
};

/// The thread that calls, by its number in /proc/self/task (gettid(2)).
static inline int clinux_gettid(void) { return (int)syscall(SYS_gettid); }

/// pidfd_open(2), which glibc wraps only since 2.36. Closed on exec.
static inline int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/// A copy of a descriptor with a number of at least `lowest`, closed on exec (F_DUPFD_CLOEXEC, fcntl(2)).
static inline int clinux_duplicate_above(int fd, int lowest) { return fcntl(fd, F_DUPFD_CLOEXEC, lowest); }

/// This process's environment (environ(7)): in Swift a mutable global cannot be named.
static inline char **clinux_environment(void) { return environ; }

/// The arguments that this process was started with, ended by NULL, its name first.
char **clinux_arguments(void);

/// What mount_setattr(2) takes (linux/mount.h); glibc has it only since 2.36.
struct clinux_mount_attr {
  uint64_t attr_set, attr_clr, propagation, userns_fd;
};
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
enum clinux_mount_attributes {
  CLINUX_MOUNT_ATTR_RDONLY = 0x1,
  CLINUX_MOUNT_ATTR_NOSUID = 0x2,
  CLINUX_MOUNT_ATTR_NODEV = 0x4,
};

/// open_tree(2) of a copy of what is at `path`, attached nowhere and closed on exec: OPEN_TREE_CLONE (1), with
/// AT_EMPTY_PATH, and with AT_RECURSIVE (0x8000) if all below it is wanted.
static inline int clinux_clone_mounts(int dirfd, const char *path, int recursive) {
  return (int)syscall(SYS_open_tree, dirfd, path, 1 | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? 0x8000 : 0));
}

/// mount_setattr(2) of the mount that `fd` is in, with everything below it.
static inline int clinux_set_mount_attributes(int fd, uint64_t set) {
  struct clinux_mount_attr attributes = {.attr_set = set};
  return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | 0x8000, &attributes, sizeof attributes);
}

/// move_mount(2) of `tree` onto what `target` is open on: MOVE_MOUNT_F_EMPTY_PATH (4), MOVE_MOUNT_T_EMPTY_PATH (0x40).
static inline int clinux_attach_mounts(int tree, int target) {
  return (int)syscall(SYS_move_mount, tree, "", target, "", 0x44);
}

/// pivot_root(2), which glibc does not wrap.
static inline int clinux_pivot_root(const char *root, const char *old) {
  return (int)syscall(SYS_pivot_root, root, old);
}

/// close_range(2), which glibc wraps only since 2.34.
static inline int clinux_close_range(unsigned first, unsigned last) {
  return (int)syscall(SYS_close_range, first, last, 0);
}

/// capget(2): the permitted capabilities of the calling thread.
static inline int clinux_permitted_capabilities(uint64_t *permitted) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) == -1) return -1;
  *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  return 0;
}

/// capset(2): `kept` become the permitted and effective capabilities of the calling thread; none is inheritable.
static inline int clinux_set_capabilities(uint64_t kept) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
    {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
    {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)},
  };
  return (int)syscall(SYS_capset, &header, data);
}

// Lets the stack grow, a quarter of which the next program's arguments and environment may take, 6 MiB at most
// (execve(2)). Returns how many bytes that is.
static inline long clinux_raise_argument_limit(void) {
  const rlim_t enough = 32 << 20, most = 6 << 20;
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0) return -1;
  if (limit.rlim_cur < enough) {
    limit.rlim_cur = limit.rlim_max < enough ? limit.rlim_max : enough;
    if (setrlimit(RLIMIT_STACK, &limit) != 0) return -1;
  }
  return (long)(limit.rlim_cur / 4 < most ? limit.rlim_cur / 4 : most);
}

/// prctl(2), which is variadic.
static inline int clinux_prctl(int option, unsigned long argument) { return prctl(option, argument, 0, 0, 0); }

/// Sends one packet with `count` descriptors (SCM_RIGHTS, unix(7)); at most 16.
static inline ssize_t clinux_send_descriptors(
    int fd, const void *bytes, size_t size, const int *descriptors, size_t count) {
  union { struct cmsghdr header; char bytes[CMSG_SPACE(16 * sizeof(int))]; } control = {0};
  if (count > 16) { errno = EINVAL; return -1; }
  struct iovec part = {(void *)bytes, size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  message.msg_control = &control;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/// Receives one packet and its descriptors, closed on exec; room for 16, and `*count` says how many came. A packet
/// longer than `size` gives its whole length.
static inline ssize_t clinux_receive_descriptors(int fd, void *bytes, size_t size, int *descriptors, size_t *count) {
  union { struct cmsghdr header; char bytes[CMSG_SPACE(16 * sizeof(int))]; } control;
  struct iovec part = {bytes, size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  *count = 0;
  ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_TRUNC);
  if (length == -1) return -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(header), *count * sizeof(int));
  }
  return length;
}

#endif
