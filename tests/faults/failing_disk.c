/* Loaded before libc: counts what a process tree does to files below a folder, and lets one of these operations fail.

   FAULTS_CONTROL names a file that is mapped by all of them: struct control. A clock may be moved as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { NOTHING, FAIL_ONCE, FULL_FROM, TEAR_AND_KILL, KILL_BEFORE, KILL_AFTER, KILL_GROUP };

struct control {
    volatile long count;  /* operations so far */
    volatile long at;     /* the one that is hit, from 1 */
    volatile long kind;
    volatile long clock_seconds;
    char under[3000];
    char hit[1000]; /* what was hit */
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd >= 0) {
        void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        control = mapped == MAP_FAILED ? NULL : mapped;
        close(fd);
    }
}

static int is_below(const char *path) {
    size_t length = control ? strlen(control->under) : 0;
    return length && path && strncmp(path, control->under, length) == 0;
}

static int is_below_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* What shall happen to this operation; it may not come back. */
static enum kind fate(const char *name, const char *path) {
    long number = __sync_add_and_fetch(&control->count, 1);
    long kind = control->kind;
    if (kind == NOTHING || number < control->at || (number > control->at && kind != FULL_FROM)) return NOTHING;
    if (number == control->at) snprintf(control->hit, sizeof control->hit, "%s %s", name, path);
    if (kind == KILL_BEFORE) kill(getpid(), SIGKILL);
    if (kind == KILL_GROUP) kill(0, SIGKILL);
    return kind;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAILS(kind) ((kind) == FAIL_ONCE || (kind) == FULL_FROM)
#define ENDING(kind) do { if ((kind) == TEAR_AND_KILL || (kind) == KILL_AFTER) kill(getpid(), SIGKILL); } while (0)
#define HIT(call, what, where, below)                     \
    do {                                                  \
        enum kind its = (below) ? fate(what, where) : NOTHING; \
        if (FAILS(its)) { errno = ENOSPC; return -1; }    \
        __typeof__(call) result = (call);                 \
        ENDING(its);                                      \
        return result;                                    \
    } while (0)

#define WRITES(name, parameters, arguments, torn)                              \
    ssize_t name parameters {                                                  \
        REAL(name);                                                            \
        char path[PATH_MAX];                                                   \
        enum kind its = control && is_below_fd(fd, path) ? fate(#name, path) : NOTHING; \
        if (its == FAIL_ONCE) { errno = ENOSPC; return -1; }                   \
        if (its == FULL_FROM || its == TEAR_AND_KILL) {                        \
            ssize_t some = size > 1 ? real torn : 0;                           \
            ENDING(its);                                                       \
            if (some > 0 && control->count == control->at) return some;        \
            errno = ENOSPC;                                                    \
            return -1;                                                         \
        }                                                                      \
        ssize_t result = real arguments;                                       \
        ENDING(its);                                                           \
        return result;                                                         \
    }

WRITES(write, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, size / 2))
WRITES(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), (fd, data, size / 2, at))
WRITES(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at), (fd, data, size / 2, at))

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    char path[PATH_MAX];
    HIT(real(fd, parts, count), "writev", path, control && is_below_fd(fd, path));
}
int fsync(int fd) {
    REAL(fsync);
    char path[PATH_MAX];
    HIT(real(fd), "fsync", path, control && is_below_fd(fd, path));
}
int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    char path[PATH_MAX];
    HIT(real(fd, size), "ftruncate", path, control && is_below_fd(fd, path));
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    char path[PATH_MAX];
    HIT(real(fd, size), "ftruncate", path, control && is_below_fd(fd, path));
}
int rename(const char *from, const char *to) {
    REAL(rename);
    HIT(real(from, to), "rename", to, is_below(to));
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat);
    HIT(real(from_folder, from, to_folder, to), "rename", to, is_below(to));
}
int unlink(const char *path) {
    REAL(unlink);
    HIT(real(path), "unlink", path, is_below(path));
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    HIT(real(path, mode), "mkdir", path, is_below(path));
}

#define OPENS(name)                                                            \
    int name(const char *path, int flags, ...) {                               \
        REAL(name);                                                            \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                          \
        HIT(real(path, flags, mode), "create", path, (flags & O_CREAT) && is_below(path)); \
    }
OPENS(open)
OPENS(open64)

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (control && clock == CLOCK_REALTIME) now->tv_sec += control->clock_seconds;
    return result;
}
