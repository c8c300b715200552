/*
 * first FEED HOW START END INTERVAL STEP...
 *
 * What the first calls of a process cost: does the steps one after the other
 * and prints a line for each, its name and its seconds. The first includes the
 * opening of the feed (for HOW see bench.h).
 *
 *   samples   the first row of each window
 *   average   the average of each window
 *   csv       all rows from START on as CSV, in pieces; its line has also the
 *             bytes of text and the most memory it had of its own, in KiB
 *
 * Then, if the kernel tells, a line "read_bytes" with what was read from disk.
 */
#define _DEFAULT_SOURCE
#include "bench.h"
#include <inttypes.h>

/* Memory that is no file's, which a mapping of the feed is: the "RssAnon" of
 * /proc/self/status in KiB, 0 where there is none. */
static long own_memory(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL && sscanf(line, "RssAnon: %ld", &kib) != 1)
        ;
    fclose(file);
    return kib;
}

static void csv(const emonfeed_feed *feed, int64_t start, double begun)
{
    enum { PIECE = 8192, LOOK_EACH = 64 };
    emonfeed_position position = {.time = start, .given = 0};
    emonfeed_error *error = NULL;
    size_t bytes = 0, rows = PIECE;
    long most = 0;
    double looking = 0;

    for (int piece = 0; rows == PIECE; piece++) {
        emonfeed_series *series = NULL;
        emonfeed_text *text = NULL;
        must(emonfeed_feed_rows_from(feed, &position, UINT32_MAX, PIECE, &series, &error), &error);
        must(emonfeed_series_csv(series, NULL, &text, &error), &error);
        rows = emonfeed_series_len(series);
        bytes += emonfeed_text_len(text);
        if (piece % LOOK_EACH == 0) {
            double before = now();
            long memory = own_memory();
            most = memory > most ? memory : most;
            looking += now() - before;
        }
        emonfeed_text_free(text);
        emonfeed_series_free(series);
    }
    printf("csv\t%.9f\t%zu\t%ld\n", now() - begun - looking, bytes, most);
}

static void print_read_bytes(void)
{
    char line[256];
    uint64_t bytes;
    FILE *file = fopen("/proc/self/io", "r");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "read_bytes: %" SCNu64, &bytes) == 1)
            printf("read_bytes\t%" PRIu64 "\n", bytes);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fputs("usage: first FEED HOW START END INTERVAL STEP...\n", stderr);
        return 2;
    }
    int64_t start = strtoll(argv[3], NULL, 10), end = strtoll(argv[4], NULL, 10);
    int64_t interval = strtoll(argv[5], NULL, 10);

    double begun = now();
    emonfeed_feed *feed = open_feed(argv[1], argv[2]);
    if (feed == NULL) {
        fputs("first: this library cannot open a feed that way\n", stderr);
        return 3;
    }
    for (char **step = argv + 6; *step != NULL; step++) {
        if (strcmp(*step, "csv") == 0) {
            csv(feed, start, begun);
        } else {
            int32_t aggregate = strcmp(*step, "average") == 0 ? EMONFEED_AVERAGE : EMONFEED_FIRST;
            size_t points = windows(feed, start, end, interval, aggregate, 0);
            double ended = now();
            printf("%s\t%.9f\t%zu\n", *step, ended - begun, points);
        }
        begun = now();
    }
    print_read_bytes();
    emonfeed_feed_free(feed);
    return 0;
}
