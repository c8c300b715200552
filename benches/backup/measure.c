/*
 * measure RESULTS LABEL MEGABYTES COMMAND [ARGUMENT...]
 *
 * Uses and frees so much memory first: in a virtual machine, the first touch of
 * a page may wait for the host, and that is not to be what is measured. Then
 * runs a command and appends one line to the file RESULTS, parted by tabs: the
 * label, seconds, seconds of CPU as user and as system, and the peak memory in
 * KiB of the largest of its processes. Exits as the command did.
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void warm(size_t bytes)
{
    if (bytes == 0)
        return;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    /* Large pages, because hosts take memory back, and give it, in such. */
    madvise(memory, bytes, MADV_HUGEPAGE);
    for (char *page = memory; page < memory + bytes; page += 4096)
        *(volatile char *)page = 1;
    munmap(memory, bytes);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct timespec begun, ended;
    struct rusage used;
    int status;

    if (argc < 5) {
        fputs("usage: measure RESULTS LABEL MEGABYTES COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    warm(strtoul(argv[3], NULL, 10) << 20);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[4], argv + 4);
        perror(argv[4]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror("measure");
        return 127;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "measure: %s failed\n", argv[4]);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    FILE *results = fopen(argv[1], "a");
    if (results == NULL) {
        perror(argv[1]);
        return 127;
    }
    fprintf(results, "%s\t%.6f\t%.6f\t%.6f\t%ld\n", argv[2],
            (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9,
            seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss);
    return fclose(results) == 0 ? 0 : 127;
}
