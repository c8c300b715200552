/* A program with a SIGBUS handler of its own: after the library has mapped a
 * feed, faults that are not the library's still reach that handler, and the
 * feed can still be read.
 *
 *     ./sigbus FEED.MYD SCRATCH_FILE
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <emonfeed.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void host_handler(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    (void)info;
    (void)context;
    siglongjmp(back, 1);
}

static size_t rows(const emonfeed_feed *feed) {
    emonfeed_series *series = NULL;
    if (emonfeed_feed_rows(feed, 0, INT64_MAX, 0, &series, NULL) != EMONFEED_STATUS_OK)
        return 0;
    size_t count = emonfeed_series_len(series);
    emonfeed_series_free(series);
    return count;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FEED.MYD SCRATCH_FILE\n", argv[0]);
        return 2;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = host_handler;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(SIGBUS, &action, NULL) != 0)
        return 1;

    emonfeed_feed *feed = NULL;
    if (emonfeed_feed_open(argv[1], 0, &feed, NULL) != EMONFEED_STATUS_OK)
        return 1;
    printf("%zu rows\n", rows(feed));

    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) != 0)
        return 1;
    puts(now.sa_sigaction == host_handler ? "the library installed no handler"
                                          : "the library installed its handler");

    /* An empty file: its first page is beyond the end. */
    int file = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
    long page = sysconf(_SC_PAGESIZE);
    if (file < 0 || page < 1)
        return 1;
    volatile char *empty =
        (volatile char *)mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, file, 0);
    if (empty == (volatile char *)MAP_FAILED)
        return 1;
    volatile int faults = 0;
    if (sigsetjmp(back, 1) == 0)
        putchar(empty[0]); /* never comes back */
    else
        faults++;
    printf("%d fault reached the program\n", faults);
    printf("%zu rows\n", rows(feed));

    /* The program puts its own handler in front: then the library does not
     * rely on a handler it may no longer have, and reads without mapping. */
    if (sigaction(SIGBUS, &action, NULL) != 0)
        return 1;
    printf("%zu rows\n", rows(feed));
    emonfeed_feed_free(feed);
    close(file);
    return 0;
}
