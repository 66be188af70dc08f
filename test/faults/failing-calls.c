/*
 * Loaded before libc (LD_PRELOAD), it makes one system call on the files of one folder fail, once: the one of a kind
 * that has the number FAILING_NUMBER, counted from 1 over all threads. What it counted and did stands in a file
 * of the layout `struct report`, which is shared memory, so that it outlives the process.
 *
 *   FAILING_FOLDER   the folder whose files are meant, itself and all below
 *   FAILING_REPORT   the file for the report: exists, is zeros, is as large as `struct report`
 *   FAILING_CALL     a name of `kinds`; none: nothing fails, everything is counted
 *   FAILING_NUMBER   which one
 *   FAILING_FAULT    EIO, ENOSPC, EINTR, or short: half of the bytes are read or written. libuv continues with the rest of a
 *                    short write at once, so that attempt fails with ENOSPC, as on a disk that became full
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, READ, WRITE, FSYNC, FDATASYNC, RENAME, UNLINK, TRUNCATE, MKDIR, STAT, LIST, LOCK, KINDS };
static const char *kinds[KINDS] = {"open",   "read",   "write",    "fsync", "fdatasync", "rename",
                                   "unlink", "truncate", "mkdir", "stat",  "list",      "lock"};

#define SEGMENT_HEADER_BYTES 4096
#define PATH_BYTES 512

struct report {
  _Atomic int64_t counts[KINDS];
  /* LSN up to which a segment was written, and was when its last sync that succeeded began. */
  _Atomic int64_t written;
  _Atomic int64_t synced;
  /* Whether the call failed, `synced` at that moment, and its path. */
  _Atomic int64_t fired;
  int64_t synced_then;
  char path[PATH_BYTES];
};

static struct report *report;
static const char *folder;
static size_t folder_length;
static int failing_kind = -1;
static int64_t failing_number;
static int failing_errno;

#define REAL(name)                                      \
  ({                                                    \
    static __typeof__(&name) real;                      \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    real;                                               \
  })

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAILING_REPORT");
  const char *wanted = getenv("FAILING_FOLDER");
  if (!path || !wanted) return;
  int file = REAL(open64)(path, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  void *memory = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) abort();
  REAL(close)(file);
  const char *call = getenv("FAILING_CALL");
  const char *number = getenv("FAILING_NUMBER");
  const char *fault = getenv("FAILING_FAULT");
  for (int kind = 0; call && kind < KINDS; kind++)
    if (strcmp(call, kinds[kind]) == 0) failing_kind = kind;
  failing_number = number ? atoll(number) : 0;
  if (fault) failing_errno = !strcmp(fault, "EIO") ? EIO : !strcmp(fault, "ENOSPC") ? ENOSPC : !strcmp(fault, "EINTR") ? EINTR : 0;
  folder_length = strlen(wanted);
  folder = wanted;
  report = memory;
}

static int is_meant(const char *path) {
  return report && path && strncmp(path, folder, folder_length) == 0 &&
         (path[folder_length] == '\0' || path[folder_length] == '/');
}

/* Fills `path` with where an open file is; returns whether that is meant. */
static int file_is_meant(int file, char *path) {
  if (!report) return 0;
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_BYTES - 1);
  path[length < 0 ? 0 : length] = '\0';
  return is_meant(path);
}

/* Counts a call that is meant; returns whether it is the one that fails. */
static int is_due(int kind, const char *path) {
  int64_t number = atomic_fetch_add(&report->counts[kind], 1) + 1;
  if (kind != failing_kind || number != failing_number) return 0;
  report->synced_then = atomic_load(&report->synced);
  strncpy(report->path, path, PATH_BYTES - 1);
  atomic_store(&report->fired, 1);
  return 1;
}

static int path_fails(int kind, const char *path) {
  if (!is_meant(path) || !is_due(kind, path)) return 0;
  errno = failing_errno;
  return 1;
}

static int file_fails(int kind, int file) {
  char path[PATH_BYTES];
  return file_is_meant(file, path) && path_fails(kind, path);
}

/* The first LSN of the segment with this path, or -1. */
static int64_t segment_lsn(const char *path) {
  const char *name = strrchr(path, '/');
  if (!name || strspn(name + 1, "0123456789") != 20 || strcmp(name + 21, ".wal") != 0) return -1;
  return atoll(name + 1);
}

static void note_written(const char *path, int64_t end) {
  int64_t first = segment_lsn(path);
  if (first >= 0 && end > SEGMENT_HEADER_BYTES) atomic_store(&report->written, first + end - SEGMENT_HEADER_BYTES);
}

/* Half of the pieces' bytes, rounded down to at least one, in `halved`; returns how many pieces that are. */
static int halve(const struct iovec *pieces, int count, struct iovec *halved) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += pieces[i].iov_len;
  size_t left = bytes > 1 ? bytes / 2 : bytes;
  int used = 0;
  while (left > 0) {
    halved[used] = pieces[used];
    if (halved[used].iov_len > left) halved[used].iov_len = left;
    left -= halved[used++].iov_len;
  }
  return used;
}

/* The file of this thread's last write, if that was made short. */
static __thread int short_write = -1;

typedef ssize_t (*transfer)(int, const struct iovec *, int, off64_t);

/* `position` is negative for the calls that have none. */
static ssize_t pass(int kind, int file, const struct iovec *pieces, int count, off64_t position, transfer real) {
  char path[PATH_BYTES];
  if (!file_is_meant(file, path)) return real(file, pieces, count, position);
  struct iovec halved[IOV_MAX];
  int continues_short = kind == WRITE && short_write == file;
  if (kind == WRITE) short_write = -1;
  if (continues_short) {
    errno = ENOSPC;
    return -1;
  }
  if (is_due(kind, path)) {
    if (failing_errno) {
      errno = failing_errno;
      return -1;
    }
    count = halve(pieces, count, halved);
    pieces = halved;
    if (kind == WRITE) short_write = file;
  }
  ssize_t bytes = real(file, pieces, count, position);
  if (kind == WRITE && bytes > 0 && position >= 0) note_written(path, position + bytes);
  return bytes;
}

static ssize_t real_write(int file, const struct iovec *pieces, int count, off64_t position) {
  return position < 0 ? REAL(writev)(file, pieces, count) : REAL(pwritev64)(file, pieces, count, position);
}

static ssize_t real_read(int file, const struct iovec *pieces, int count, off64_t position) {
  return position < 0 ? REAL(readv)(file, pieces, count) : REAL(preadv64)(file, pieces, count, position);
}

#define ONE(buffer, bytes) &(struct iovec){(void *)(buffer), bytes}, 1

ssize_t write(int file, const void *buffer, size_t bytes) { return pass(WRITE, file, ONE(buffer, bytes), -1, real_write); }
ssize_t writev(int file, const struct iovec *pieces, int count) { return pass(WRITE, file, pieces, count, -1, real_write); }
ssize_t pwrite64(int file, const void *buffer, size_t bytes, off64_t at) { return pass(WRITE, file, ONE(buffer, bytes), at, real_write); }
ssize_t pwrite(int file, const void *buffer, size_t bytes, off_t at) { return pass(WRITE, file, ONE(buffer, bytes), at, real_write); }
ssize_t pwritev64(int file, const struct iovec *pieces, int count, off64_t at) { return pass(WRITE, file, pieces, count, at, real_write); }
ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t at) { return pass(WRITE, file, pieces, count, at, real_write); }
ssize_t read(int file, void *buffer, size_t bytes) { return pass(READ, file, ONE(buffer, bytes), -1, real_read); }
ssize_t readv(int file, const struct iovec *pieces, int count) { return pass(READ, file, pieces, count, -1, real_read); }
ssize_t pread64(int file, void *buffer, size_t bytes, off64_t at) { return pass(READ, file, ONE(buffer, bytes), at, real_read); }
ssize_t pread(int file, void *buffer, size_t bytes, off_t at) { return pass(READ, file, ONE(buffer, bytes), at, real_read); }
ssize_t preadv64(int file, const struct iovec *pieces, int count, off64_t at) { return pass(READ, file, pieces, count, at, real_read); }
ssize_t preadv(int file, const struct iovec *pieces, int count, off_t at) { return pass(READ, file, pieces, count, at, real_read); }

#define MODE(flags)                                  \
  mode_t mode = 0;                                   \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {           \
    va_list rest;                                    \
    va_start(rest, flags);                           \
    mode = va_arg(rest, mode_t);                     \
    va_end(rest);                                    \
  }

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(open64)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(open)(path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(openat64)(directory, path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
  MODE(flags)
  return path_fails(OPEN, path) ? -1 : REAL(openat)(directory, path, flags, mode);
}

int fsync(int file) { return file_fails(FSYNC, file) ? -1 : REAL(fsync)(file); }

int fdatasync(int file) {
  char path[PATH_BYTES];
  if (!file_is_meant(file, path)) return REAL(fdatasync)(file);
  if (path_fails(FDATASYNC, path)) return -1;
  int64_t written = atomic_load(&report->written);
  int result = REAL(fdatasync)(file);
  if (result == 0 && segment_lsn(path) >= 0) atomic_store(&report->synced, written);
  return result;
}

int rename(const char *from, const char *to) { return path_fails(RENAME, from) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return path_fails(UNLINK, path) ? -1 : REAL(unlink)(path); }
int ftruncate64(int file, off64_t bytes) { return file_fails(TRUNCATE, file) ? -1 : REAL(ftruncate64)(file, bytes); }
int ftruncate(int file, off_t bytes) { return file_fails(TRUNCATE, file) ? -1 : REAL(ftruncate)(file, bytes); }
int mkdir(const char *path, mode_t mode) { return path_fails(MKDIR, path) ? -1 : REAL(mkdir)(path, mode); }

DIR *opendir(const char *path) { return path_fails(LIST, path) ? NULL : REAL(opendir)(path); }
int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  return path_fails(LIST, path) ? -1 : REAL(scandir64)(path, names, filter, compare);
}

static int is_lock(int command) {
  return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

int fcntl64(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return is_lock(command) && file_fails(LOCK, file) ? -1 : REAL(fcntl64)(file, command, argument);
}
int fcntl(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return is_lock(command) && file_fails(LOCK, file) ? -1 : REAL(fcntl)(file, command, argument);
}

/* libuv asks for a file's state through syscall(); an io_uring in its place would pass all of the above by. */
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (report && number == SYS_statx) {
    const char *path = (const char *)a[1];
    if (path && path[0] != '\0' ? path_fails(STAT, path) : file_fails(STAT, (int)a[0])) return -1;
  }
  if (report && number == SYS_io_uring_setup) {
    errno = ENOSYS;
    return -1;
  }
  return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
