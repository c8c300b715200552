/* A year of readings from C: the call emoncms made in 2013, and daily
 * averages. Usage: demo FOLDER/feed_1.MYD ANSWER.json */
#define _POSIX_C_SOURCE 200809L
#include <emonfeed.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Ends the program with the library's message unless all went well. */
static void check(emonfeed_status status, emonfeed_error *error)
{
    if (status == EMONFEED_STATUS_OK)
        return;
    fprintf(stderr, "demo: %s (status %" PRId32 ")\n", emonfeed_error_message(error), status);
    emonfeed_error_free(error);
    exit(EXIT_FAILURE);
}

static void show(const emonfeed_series *series, double ms)
{
    const emonfeed_point *point = emonfeed_series_points(series);
    size_t n = emonfeed_series_len(series);

    printf("    %zu answers in %.2f ms\n", n, ms);
    for (size_t i = 0; i < n && i < 3; i++)
        printf("      %" PRId64 "  %.2f\n", point[i].time, point[i].value);
}

int main(int argc, char **argv)
{
    emonfeed_feed *feed = NULL;
    emonfeed_series *points = NULL, *days = NULL;
    emonfeed_text *json = NULL;
    emonfeed_error *error = NULL;
    emonfeed_meta meta;

    if (argc != 3) {
        fprintf(stderr, "usage: demo FEED.MYD ANSWER.json\n");
        return 2;
    }
    check(emonfeed_feed_open(argv[1], 0, &feed, &error), error);
    check(emonfeed_feed_meta(feed, &meta, &error), error);
    double start_ms = (double)meta.start_time * 1e3, end_ms = (double)meta.end_time * 1e3;

    printf("  emonfeed_feed_data(feed, %.0f, %.0f, 1000, …)\n", start_ms, end_ms);
    double begin = now_ms();
    check(emonfeed_feed_data(feed, start_ms, end_ms, 1000, &points, &error), error);
    show(points, now_ms() - begin);

    printf("  emonfeed_feed_windows(feed, %" PRId64 ", %" PRId64
           ", 86400, EMONFEED_AVERAGE, …)\n",
           meta.start_time, meta.end_time);
    begin = now_ms();
    check(emonfeed_feed_windows(feed, meta.start_time, meta.end_time, 86400,
                                EMONFEED_AVERAGE, 0, &days, &error),
          error);
    show(days, now_ms() - begin);

    check(emonfeed_series_json(days, &json, &error), error);
    FILE *file = fopen(argv[2], "w");
    if (!file || fputs(emonfeed_text_data(json), file) == EOF || fclose(file) != 0) {
        perror(argv[2]);
        return EXIT_FAILURE;
    }

    emonfeed_text_free(json);
    emonfeed_series_free(days);
    emonfeed_series_free(points);
    emonfeed_feed_free(feed);
    return EXIT_SUCCESS;
}
