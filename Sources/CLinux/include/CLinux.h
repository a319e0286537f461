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
#include <linux/fs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
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
#include <sys/prctl.h>
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

#endif
