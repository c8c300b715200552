/*
 * pages drop FILE...    has the kernel give up what it keeps of the files
 * pages count FILE...   prints how many of their pages it keeps
 *
 * Nobody may have the files mapped when they are to be dropped. Exits with 3
 * if they stay all the same, as on a file system that is all memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static size_t kept(int file, const char *path)
{
    struct stat status;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;

    if (fstat(file, &status) != 0)
        fail(path);
    if (status.st_size == 0)
        return 0;
    size_t length = (size_t)status.st_size, n = (length + page - 1) / page;
    /* A mapping alone brings no page in. */
    void *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0);
    unsigned char *is_in = malloc(n);
    if (bytes == MAP_FAILED || is_in == NULL || mincore(bytes, length, is_in) != 0)
        fail(path);
    for (size_t i = 0; i < n; i++)
        count += is_in[i] & 1;
    free(is_in);
    munmap(bytes, length);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    if (argc < 3 || (strcmp(argv[1], "drop") != 0 && strcmp(argv[1], "count") != 0)) {
        fputs("usage: pages drop|count FILE...\n", stderr);
        return 2;
    }
    for (char **path = argv + 2; *path != NULL; path++) {
        int file = open(*path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            fail(*path);
        if (strcmp(argv[1], "drop") == 0) {
            /* What is not on the disk yet cannot be given up. */
            if (fsync(file) != 0)
                fail(*path);
            int error = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
            if (error != 0) {
                fprintf(stderr, "%s: %s\n", *path, strerror(error));
                return 1;
            }
        }
        count += kept(file, *path);
        close(file);
    }
    if (strcmp(argv[1], "count") == 0) {
        printf("%zu\n", count);
    } else if (count > 0) {
        fprintf(stderr, "pages: %zu pages stay in memory\n", count);
        return 3;
    }
    return 0;
}
