/* Counts the calls of the C library through which a process changes files and waits. Loaded into a
 * program with LD_PRELOAD; the program reads the counts with taskito_tally(). Linux, glibc or musl. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITES, FLUSHES, LOCKS, FUTEXES, KINDS };
static atomic_long counts[KINDS];

long taskito_tally(int kind) { return kind < KINDS ? atomic_load(&counts[kind]) : -1; }

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    counts[WRITES]++;
    return syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite(fd, bytes, length, at);
}

int fdatasync(int fd)
{
    counts[FLUSHES]++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    counts[FLUSHES]++;
    return (int)syscall(SYS_fsync, fd);
}

int flock(int fd, int operation)
{
    counts[LOCKS]++;
    return (int)syscall(SYS_flock, fd, operation);
}

static int lock_call(int fd, int command, void *argument)
{
    counts[LOCKS]++;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return lock_call(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return lock_call(fd, command, argument);
}

/* The futexes of the program itself; those inside the C library are not seen. */
long syscall(long number, ...)
{
    static long (*real)(long, ...);
    va_list rest;
    long a[6];
    va_start(rest, number);
    for (int n = 0; n < 6; n++)
        a[n] = va_arg(rest, long);
    va_end(rest);
    if (!real)
        real = (long (*)(long, ...))next("syscall");
    if (number == SYS_futex)
        counts[FUTEXES]++;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
