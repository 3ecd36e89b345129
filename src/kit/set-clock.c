/*
 * Lets a program believe that its computer slept: the clocks that go on in sleep go forward by what a file says, while the
 * monotonic clock and the timers stay. Loaded with LD_PRELOAD; SOLESEAT_KIT_CLOCK names the file.
 *
 * The file has three numbers of 64 bits: how far to go forward (ms), how far the wall clock alone was set (ms), and whether a
 * clock was read since (1).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define UPTIME "/proc/uptime"
#define MOST_FDS 4096

struct shared {
  volatile long long forward_ms;
  volatile long long wall_ms;
  volatile long long was_read;
};

static struct shared *shared;
/* Which file descriptors are open on a copy of /proc/uptime. */
static volatile char is_uptime[MOST_FDS];

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SOLESEAT_KIT_CLOCK");
  if (path == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return;
  void *map = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) shared = map;
  syscall(SYS_close, fd);
}

static long long told(long long ms) {
  if (ms != 0) shared->was_read = 1;
  return ms;
}

static long long forward_ms(void) {
  return shared == NULL ? 0 : told(shared->forward_ms);
}

static long long wall_ms(void) {
  return shared == NULL ? 0 : told(shared->forward_ms + shared->wall_ms);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int status = (int)syscall(SYS_clock_gettime, clock, at);
  if (status != 0) return status;
  int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
  long long ms = is_wall ? wall_ms() : clock == CLOCK_BOOTTIME ? forward_ms() : 0;
  long long nanoseconds = at->tv_nsec + ms % 1000 * 1000000;
  at->tv_sec += ms / 1000 + (nanoseconds >= 1000000000) - (nanoseconds < 0);
  at->tv_nsec = (nanoseconds + 1000000000) % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  at->tv_sec = precise.tv_sec;
  at->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (at != NULL) *at = precise.tv_sec;
  return precise.tv_sec;
}

int sysinfo(struct sysinfo *info) {
  int status = (int)syscall(SYS_sysinfo, info);
  if (status == 0) info->uptime += forward_ms() / 1000;
  return status;
}

/* Fills a copy of /proc/uptime anew, with its first number put forward. */
static void refill(int fd) {
  char text[128], later[160];
  double up, idle;
  int real = (int)syscall(SYS_openat, AT_FDCWD, UPTIME, O_RDONLY | O_CLOEXEC, 0);
  if (real < 0) return;
  long count = syscall(SYS_read, real, text, sizeof text - 1);
  syscall(SYS_close, real);
  if (count <= 0) return;
  text[count] = '\0';
  if (sscanf(text, "%lf %lf", &up, &idle) != 2) return;
  int length = snprintf(later, sizeof later, "%.2f %.2f\n", up + forward_ms() / 1000.0, idle);
  if (ftruncate(fd, 0) == 0) syscall(SYS_pwrite64, fd, later, (size_t)length, 0);
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
  int is_copy = shared != NULL && strcmp(path, UPTIME) == 0;
  int fd = is_copy ? (int)syscall(SYS_memfd_create, "uptime", flags & O_CLOEXEC ? MFD_CLOEXEC : 0)
                   : (int)syscall(SYS_openat, dir, path, flags, mode);
  if (fd < 0 || fd >= MOST_FDS) return fd;
  is_uptime[fd] = is_copy;
  if (is_copy) refill(fd);
  return fd;
}

#define MODE(last) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, last); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int dir, const char *path, int flags, ...) {
  MODE(flags)
  return opened(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
  MODE(flags)
  return opened(dir, path, flags | O_LARGEFILE, mode);
}

int close(int fd) {
  if (fd >= 0 && fd < MOST_FDS) is_uptime[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

static int is_copy(int fd) {
  return fd >= 0 && fd < MOST_FDS && is_uptime[fd];
}

ssize_t read(int fd, void *bytes, size_t room) {
  if (is_copy(fd) && syscall(SYS_lseek, fd, 0, SEEK_CUR) == 0) refill(fd);
  return syscall(SYS_read, fd, bytes, room);
}

ssize_t pread(int fd, void *bytes, size_t room, off_t from) {
  if (is_copy(fd) && from == 0) refill(fd);
  return syscall(SYS_pread64, fd, bytes, room, from);
}

ssize_t pread64(int fd, void *bytes, size_t room, off64_t from) {
  return pread(fd, bytes, room, from);
}
