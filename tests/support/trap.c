/* Preloaded into victims: kills or stops the process at one chosen system call on its database.
 *
 * The owner of a process writes into its trap, memory that both share, which call on which file
 * it means, how many of these calls pass before, and what happens then. A trap springs once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum call { WRITE = 1, SYNC = 2, LOCK = 3, TURN = 4 };
enum file { DATABASE = 16, LOG = 32, WRITER = 48, CHECKPOINTER = 64, BELL = 80 };
enum manner { PASS = 0, BEFORE = 1, AFTER = 2, TORN = 3, STOP = 4 };

/* Bytes of the -shm file through which SQLite locks its log, see "WAL-mode File Format". */
enum { WRITER_BYTE = 120, CHECKPOINTER_BYTE = 121 };

struct trap {
    _Atomic int place; /* call + file; 0 while it is not set */
    _Atomic int countdown;
    int manner;
};

static struct trap *trap;
static char database[PATH_MAX];

/* To be called by the process that is to be trapped. */
void trap_set_up(struct trap *memory, const char *path)
{
    snprintf(database, sizeof database, "%s", path);
    trap = memory;
}

static int is_set(enum call call)
{
    return trap != NULL && (trap->place & 15) == (int)call;
}

static enum manner springs(int fd, enum call call, long byte)
{
    char link[64], path[PATH_MAX];
    size_t length = strlen(database);
    int file;
    if (!is_set(call))
        return PASS;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t read = readlink(link, path, sizeof path - 1);
    if (read < 0)
        return PASS;
    path[read] = 0;
    if (strncmp(path, database, length) != 0)
        return PASS;
    if (path[length] == 0)
        file = DATABASE;
    else if (strcmp(path + length, "-wal") == 0)
        file = LOG;
    else if (strcmp(path + length, "-bell") == 0)
        file = BELL;
    else if (strcmp(path + length, "-shm") == 0 && byte == WRITER_BYTE)
        file = WRITER;
    else if (strcmp(path + length, "-shm") == 0 && byte == CHECKPOINTER_BYTE)
        file = CHECKPOINTER;
    else
        return PASS;
    if (trap->place != (int)call + file || atomic_fetch_sub(&trap->countdown, 1) != 1)
        return PASS;
    return trap->manner;
}

static void act(enum manner manner, enum manner now)
{
    if (manner != now)
        return;
    kill(getpid(), manner == STOP ? SIGSTOP : SIGKILL);
    /* The stop waits for a thread that takes the signal; this one must not go on meanwhile. */
    if (manner == STOP)
        sleep(1);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    static __typeof__(&pwrite64) real;
    if (real == NULL)
        real = REAL(pwrite64);
    enum manner manner = springs(fd, WRITE, -1);
    act(manner, BEFORE);
    if (manner == TORN) {
        real(fd, bytes, count / 2, offset);
        act(manner, TORN);
    }
    ssize_t written = real(fd, bytes, count, offset);
    act(manner, AFTER);
    act(manner, STOP);
    return written;
}

int fsync(int fd)
{
    static __typeof__(&fsync) real;
    if (real == NULL)
        real = REAL(fsync);
    enum manner manner = springs(fd, SYNC, -1);
    act(manner, BEFORE);
    int result = real(fd);
    act(manner, AFTER);
    return result;
}

int flock(int fd, int operation)
{
    static __typeof__(&flock) real;
    if (real == NULL)
        real = REAL(flock);
    int result = real(fd, operation);
    if (result == 0 && (operation & LOCK_EX)) {
        enum manner manner = springs(fd, TURN, -1);
        act(manner, AFTER);
        act(manner, STOP);
    }
    return result;
}

int fcntl(int fd, int command, ...)
{
    static __typeof__(&fcntl) real;
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (real == NULL)
        real = REAL(fcntl);
    int result = real(fd, command, argument);
    if (result != -1 && command == F_OFD_SETLK && is_set(LOCK)) {
        const struct flock *lock = argument;
        if (lock->l_type == F_WRLCK) {
            enum manner manner = springs(fd, LOCK, lock->l_start);
            act(manner, AFTER);
            act(manner, STOP);
        }
    }
    return result;
}
