/* Reads a feed of floats, some of which are NaN, as one batch of an Arrow C stream,
 * with ever more memory, from next to none to enough, each time in a process of its
 * own:
 *
 *     scarce feed_7.MYD
 *
 * Prints how many had enough, how many were told that it is too little, and how many
 * ended otherwise.
 */
#include "arrow_abi.h"
#include <emonfeed.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Steps of a quarter of a MiB. */
#define STEP ((rlim_t)1 << 18)

/* Bytes of memory of this process. */
static rlim_t in_use(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) {
        exit(2);
    }
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* 0 with the whole feed, 1 with an error that names memory. */
static int read_with(const emonfeed_feed *feed, rlim_t bytes) {
    struct ArrowArrayStream stream;
    struct ArrowArray rows;
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = in_use() + bytes;
    if (emonfeed_feed_arrow(feed, 0, (int64_t)1 << 40, 1 << 30, &stream, NULL) != EMONFEED_STATUS_OK ||
        setrlimit(RLIMIT_AS, &limit) != 0) {
        return 2;
    }
    int code = stream.get_next(&stream, &rows);
    if (code == ENOMEM) {
        int is_said = strstr(stream.get_last_error(&stream), "not enough memory") != NULL;
        stream.release(&stream);
        return is_said ? 1 : 3;
    }
    if (code != 0 || rows.length == 0 || rows.children[1]->null_count == 0) {
        return 4;
    }
    rows.release(&rows);
    stream.release(&stream);
    return 0;
}

int main(int argc, char **argv) {
    emonfeed_feed *feed = NULL;
    int counts[3] = {0, 0, 0};
    if (argc != 2 || emonfeed_feed_open(argv[1], 0, &feed, NULL) != EMONFEED_STATUS_OK) {
        return 2;
    }
    /* Until it was enough some times. */
    for (rlim_t bytes = 0; counts[0] < 4; bytes += STEP) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            _exit(read_with(feed, bytes));
        }
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return 2;
        }
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
        counts[code < 2 ? code : 2]++;
        if (code > 1) {
            fprintf(stderr, "with %lu bytes: %d\n", (unsigned long)bytes, status);
        }
    }
    printf("%s, %s, %d otherwise\n", counts[0] == 4 ? "enough" : "never enough",
           counts[1] > 40 ? "too little many times" : "hardly ever too little", counts[2]);
    emonfeed_feed_free(feed);
    return 0;
}
